"""Encoders small enough for tests: files made here, seeded weights of the published forms, and the wheel's own."""

import argparse
import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

from raysed.config.encoder import Encoder
from tests.paths import ROOT

HOP = 400
GOLDEN = ROOT / "tests" / "golden"


def write_onnx(path, *, samples="samples", batch="batch"):
    """An encoder of two layers: the sums of absolute values over each hop, and twice and thrice these."""
    weights = {
        "one": np.ones((1, 1, HOP), np.float32),
        "more": np.ones((2, 1, HOP), np.float32) * np.array([[[2.0]], [[3.0]]], np.float32),
    }
    nodes = [
        helper.make_node("Unsqueeze", ["waveform", "axis"], ["channel"]),
        helper.make_node("Abs", ["channel"], ["loud"]),
    ]
    outputs = []
    for name, width in (("one", 1), ("more", 2)):
        nodes.append(helper.make_node("Conv", ["loud", name], [f"{name}_BER"], strides=[HOP]))
        nodes.append(
            helper.make_node("Transpose", [f"{name}_BER"], [f"{name}_rows"], perm=[0, 2, 1])
        )
        shape = [batch, "rows", width]
        outputs.append(helper.make_tensor_value_info(f"{name}_rows", TensorProto.FLOAT, shape))
    graph = helper.make_graph(
        nodes,
        "loudness",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, [batch, samples])],
        outputs,
        [
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
            *(numpy_helper.from_array(value, name) for name, value in weights.items()),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    Path(path).write_bytes(model.SerializeToString())
    return str(path)


class Loudness(torch.nn.Module):
    """Sums over three hops, a row every hop; a second output holds their doubles."""

    def forward(self, waveform_BT):
        rows_BRE = waveform_BT.abs().unfold(1, 1200, 400).sum(2, keepdim=True)
        return rows_BRE, 2 * rows_BRE


class Quarters(torch.nn.Module):
    """Sums over the quarters of each hop: four values a row."""

    def forward(self, waveform_BT):
        return waveform_BT.abs().unfold(1, 400, 400).unflatten(2, (4, 100)).sum(3)


def write_script(path, network=Loudness):
    torch.jit.script(network()).save(str(path))
    return str(path)


class Centred:
    """A class of one's own, whose rows are centred on samples 0, 400, 800 ...: it pads by itself."""

    sample_rate_hz, hop, width, centre = 16000, HOP, 1, 0

    def __init__(self, path=None, layers=None, device="cpu"):
        self.path = path

    def __call__(self, waveform_BT):
        padded_BT = np.pad(np.abs(waveform_BT), ((0, 0), (HOP // 2, HOP)))
        rows = waveform_BT.shape[1] // HOP + 1
        return np.stack(
            [padded_BT[:, r * HOP : (r + 1) * HOP].sum(1) for r in range(rows)], axis=1
        )[..., None].astype(np.float32)


class NoWidth:
    sample_rate_hz, hop = 16000, HOP

    def __init__(self, path=None, layers=None, device="cpu"):
        pass


def filled(shapes, seed):
    """Weights of these shapes, drawn name after name: those of the stored values."""
    rng, found = np.random.default_rng(seed), {}
    for name in sorted(shapes):
        shape = tuple(shapes[name])
        if name.endswith("num_batches_tracked"):
            found[name] = torch.zeros((), dtype=torch.int64)
            continue
        values = rng.normal(size=shape).astype(np.float32)
        one = len(shape) < 2
        values = values * 0.1 if one else values / np.sqrt(max(1, int(np.prod(shape[1:]))))
        if name.endswith("running_var") or (one and name.endswith("weight")):
            values = 1 + np.abs(values)
        found[name] = torch.from_numpy(values.astype(np.float32))
    return found


def golden():
    """Shapes and configuration of the small networks, and the values of the public code."""
    shapes = json.loads((GOLDEN / "encoders.json").read_text())
    return shapes, np.load(GOLDEN / "encoders.npz")


def cnn14_weights():
    return filled(golden()[0]["cnn14"], 1)


def beats_checkpoint():
    shapes = golden()[0]
    tables = {
        name: shape
        for name, shape in shapes["beats"].items()
        if ".relative_attention_bias." not in name or ".layers.0." in name
    }
    return {"cfg": shapes["cfg"], "model": filled(tables, 3)}


def atst_weights():
    return filled(golden()[0]["atst"], 5)


def near_sighted(weights):
    """The weights with little attention: drawn ones look everywhere, so that a click changes every row alike."""
    return {n: 0.05 * v if ".attn.proj." in n else v for n, v in weights.items()}


def atst_checkpoint(change=dict):
    """A pretraining's, as Lightning writes it: the teacher beside the student and their projectors."""
    weights = change(atst_weights())
    parts = {f"model.teacher.encoder.{name}": value for name, value in weights.items()}
    parts |= {f"model.student.encoder.{name}": 2 * value for name, value in weights.items()}
    parts |= {"model.teacher.projector.0.weight": torch.ones(2, 2)}
    hyper = {"arch": "base", "pos_type": "cut", "nprompt": 0, "learning_rate": 8e-5}
    return {
        "epoch": 1,
        "state_dict": parts,
        "hyper_parameters": hyper,
        "callbacks": {"ModelCheckpoint": {"best_model_path": "a.ckpt"}},
    }


def m2d_weights():
    return filled(golden()[0]["m2d"], 7) | {"norm_stats": torch.tensor([-6.5, 3.9])}


def m2d_checkpoint(change=dict):
    """A pretraining's: the decoder and the target beside the encoder, and the arguments of the training script."""
    weights = change(m2d_weights())
    more = {"mask_token": torch.zeros(1, 1, 8), "decoder_pos_embed": torch.zeros(1, 36, 8)}
    more |= {"target_blocks.0.norm1.weight": torch.ones(128), "target_norm.weight": torch.ones(128)}
    arguments = argparse.Namespace(input_size=[80, 113], patch_size=[16, 16], norm_stats=None)
    return {"model": weights | more, "epoch": 300, "scaler": {}, "args": arguments}


def stored(path, content):
    torch.save(content, path)
    return str(path)


def wave(rate_hz, seconds, seed):
    """Two clips of noise, one loud and one soft: those of the stored values."""
    noise = np.random.default_rng(seed).normal(size=(2, int(rate_hz * seconds)))
    return (noise * np.array([[0.1], [0.02]])).astype(np.float32)


def openwakeword_folder():
    spec = importlib.util.find_spec("openwakeword")
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).parent / "resources" / "models")


def encoders(folder):
    """One configuration of each kind, and of a file of a fixed length."""
    timing = {"sample_rate_hz": 16000, "hop": HOP}
    own = f"{__name__}:Centred"
    return {
        "onnx": Encoder(kind="onnx", path=write_onnx(folder / "a.onnx"), **timing),
        "onnx_fixed": Encoder(
            kind="onnx",
            path=write_onnx(folder / "f.onnx", samples=16000, batch=1),
            fixed_length=16000,
            **timing,
        ),
        "torchscript": Encoder(
            kind="torchscript", path=write_script(folder / "s.pt"), span=3 * HOP, **timing
        ),
        "python": Encoder(kind="python", python=own),
        "openwakeword": Encoder(kind="openwakeword", path=openwakeword_folder()),
        "cnn14": Encoder(
            kind="cnn14", path=stored(folder / "cnn14.pth", {"model": cnn14_weights()})
        ),
        "beats": Encoder(kind="beats", path=stored(folder / "beats.pt", beats_checkpoint())),
        "atst": Encoder(
            kind="atst", path=stored(folder / "atst.ckpt", atst_checkpoint(near_sighted))
        ),
        "m2d": Encoder(kind="m2d", path=stored(folder / "m2d.pth", m2d_checkpoint(near_sighted))),
    }
