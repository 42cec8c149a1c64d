"""The work of `raysed export`: the selected network as ONNX, with everything from linear mel to scores
inside.

Inputs are `mel` (B, T, F), linear mel amplitude of windows of the training length, zero-padded, and
`frames` (B,) int64, each window's own frames; of a network with `model.embedding` also `embedding` (B, R, E), its
encoder's rows, zero-padded. Outputs are `strong` (B, U, K) and `weak` (B, K). The
logarithm, the floor under each window's maximum, the padding and the normalisation are in the graph; the
STFT and the encoder are not; an encoder that was trained with the network is written beside it, as a file that a data
job takes. Metadata holds, as JSON: classes, features, postprocessing, frame_s, network, epoch, and
what the encoder is.
"""

import copy
import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from raysed import __version__
from raysed.data.features.embeddings import embedding_shape
from raysed.data.features.mel import AMPLITUDE_FLOOR
from raysed.model.cpu.gru import GRU
from raysed.predict.detector import Detector
from raysed.predict.window_encoder import TunedWindowEncoder
from raysed.storage.folder import write_atomically

TOLERANCE = 1e-4
_OPSET = 18
_INPUTS, _OUTPUTS = ["mel", "frames"], ["strong", "weak"]
_EMBEDDING = "embedding"


@dataclass(frozen=True)
class Parity:
    """The difference between ONNX Runtime's scores and torch's."""

    error: float
    """Largest absolute difference of strong and weak scores."""
    clips: int
    lowest: float
    highest: float
    """The range of the scores compared: agreement proves little where the network gives the same score to
    everything."""

    @property
    def ok(self) -> bool:
        """Tell whether the difference is within `TOLERANCE`."""
        return self.error <= TOLERANCE


class MelToScores(nn.Module):
    """The graph that is exported."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.network = copy.deepcopy(detector.network)
        for module in self.network.modules():
            if isinstance(module, GRU):
                # torch's own GRU with the same weights: one ONNX operator instead of one for each frame.
                module.__class__ = nn.GRU  # type: ignore[assignment]
        self.floor_db = detector.features.floor_db
        self.detector = [detector]  # in a list: its network is no part of this one
        self.mean_F = nn.Buffer(detector.normaliser.mean_F)
        self.std_F = nn.Buffer(detector.normaliser.std_F)

    def forward(  # noqa: D102
        self, mel: Tensor, frames: Tensor, embedding: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        # `log_mel_db_torch` without its in-place operations, which have no counterpart in ONNX.
        db_BTF = 20 * mel.clamp_min(AMPLITUDE_FLOOR).log10()
        db_BTF = torch.maximum(db_BTF, db_BTF.amax(dim=(1, 2), keepdim=True) - self.floor_db)
        own_BT1 = torch.arange(mel.shape[1]).unsqueeze(0).unsqueeze(2) < frames.view(-1, 1, 1)
        db_BTF = torch.where(own_BT1, db_BTF, torch.zeros_like(db_BTF))
        log_mel_BTF = (db_BTF - self.mean_F) / self.std_F
        stream = self.detector[0].stream(embedding)
        return (
            self.network(log_mel_BTF) if stream is None else self.network(log_mel_BTF, None, stream)
        )


def export_onnx(detector: Detector, path: Path) -> Parity:
    """Write `path` and compare it with prediction's own path on one, three and eight windows.

    `detector` must be on the CPU. Raises ValueError where the packages of the `onnx` extra are absent;
    a file whose scores differ is not written.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ValueError(f"{error}: install them with `pip install 'raysed[onnx]'`") from error
    module = MelToScores(detector).eval()
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "model.onnx"
        _export(module, detector, draft)
        model = onnx.load(draft)
    onnx.helper.set_model_props(model, _metadata(detector))
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    parity = _parity(content, detector)
    if parity.ok:
        write_atomically(path, content)
        if isinstance(detector.encoder, TunedWindowEncoder):
            write_atomically(encoder_beside(path), detector.encoder.as_checkpoint())
    return parity


def encoder_beside(path: Path) -> Path:
    """Return the file of a tuned encoder beside an exported network."""
    return path.with_suffix(".encoder.pt")


def example_mels(detector: Detector, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return (mel, frames) of noise with bursts in random bands, at levels over a range of 60 dB; the last
    window is short.
    """
    rng = np.random.default_rng([seed, count])
    features = detector.features
    shape = (count, features.n_frames, features.n_mels)
    mel_BTF = rng.lognormal(-3, 1, shape) * 10 ** rng.uniform(-2, 1, (count, 1, 1))
    for mel_TF in mel_BTF:
        for _ in range(6):
            first, stop = sorted(rng.integers(0, features.n_frames, 2))
            low, high = sorted(rng.integers(0, features.n_mels, 2))
            mel_TF[first : stop + 1, low : high + 1] *= 10 ** rng.uniform(0, 2)
    frames_B = np.full(count, features.n_frames, np.int64)
    frames_B[-1] = max(1, features.n_frames // 3)
    mel_BTF[-1, frames_B[-1] :] = 0
    return mel_BTF.astype(np.float32), frames_B


def example_rows(detector: Detector, count: int) -> tuple[np.ndarray, ...]:
    """Return random rows of an encoder (count, R, E), none where the network takes none."""
    if detector.encoder is None:
        return ()
    shape = embedding_shape(detector.encoder.facts, detector.features)
    return (np.random.default_rng(count).normal(0, 3, (count, *shape)).astype(np.float32),)


def _inputs(detector: Detector) -> list[str]:
    return _INPUTS if detector.encoder is None else [*_INPUTS, _EMBEDDING]


def _export(module: MelToScores, detector: Detector, path: Path) -> None:
    """Export by torch's tracing exporter, which takes seconds; a GRU becomes ONNX's own."""
    given = (*example_mels(detector, 2), *example_rows(detector, 2))
    names = _inputs(detector)
    with warnings.catch_warnings(), torch.enable_grad():
        # It warns about tracing in general; the result is checked afterwards. With gradients the
        # network runs its plain operations, not those fused for a CPU.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(torch.from_numpy(each) for each in given),
            str(path),
            input_names=names,
            output_names=_OUTPUTS,
            dynamic_axes={name: {0: "batch"} for name in names + _OUTPUTS},
            opset_version=_OPSET,
            dynamo=False,
        )


def _metadata(detector: Detector) -> dict[str, str]:
    grid = detector.grid
    about = {
        "classes": detector.classes,
        "features": detector.features.model_dump(mode="json"),
        "postprocessing": detector.settings.as_json(),
        "frame_s": grid.frame / grid.rate_hz,
        "network": detector.name,
        "epoch": detector.epoch,
        "raysed": __version__,
    }
    if detector.encoder is not None:
        about["encoder"] = detector.encoder.facts.model_dump(mode="json")
    return {key: json.dumps(value) for key, value in about.items()}


def _parity(content: bytes, detector: Detector) -> Parity:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    errors, scores, clips = [], [], 0
    for count in (1, 3, 8):
        given = (*example_mels(detector, count, seed=1), *example_rows(detector, count))
        found = session.run(_OUTPUTS, dict(zip(_inputs(detector), given, strict=True)))
        with torch.inference_mode():
            expected = detector.forward(*(torch.from_numpy(each) for each in given))
        for one, other in zip(found, expected, strict=True):
            errors.append(float(np.abs(one - other.numpy()).max()))
            scores.append(other.numpy().ravel())
        clips += count
    values = np.concatenate(scores)
    return Parity(max(errors), clips, float(values.min()), float(values.max()))
