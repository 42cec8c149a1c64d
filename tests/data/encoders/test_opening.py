import hashlib
from pathlib import Path

import pytest
import torch

from raysed.config.encoder import Encoder, EncoderFacts, configured
from raysed.data.encoders.opening import find_encoder, open_encoder, sha256_of
from tests.data.encoders.small import encoders, stored, write_onnx


def test_facts_of_each_kind(tmp_path):
    found = {name: find_encoder(config, None).facts for name, config in encoders(tmp_path).items()}
    assert {name: (f.sample_rate_hz, f.hop, f.width) for name, f in found.items()} == {
        "onnx": (16000, 400, 1),
        "onnx_fixed": (16000, 400, 1),
        "torchscript": (16000, 400, 1),
        "python": (16000, 400, 1),
        "openwakeword": (16000, 1280, 96),
        "cnn14": (32000, 10240, 8),
        "beats": (16000, 2560, 16),
        "atst": (16000, 640, 128),
        "m2d": (16000, 2560, 640),
    }
    assert found["onnx"].sha256 == hashlib.sha256((tmp_path / "a.onnx").read_bytes()).hexdigest()
    assert found["beats"].licence == "MIT" and str(tmp_path) not in str(found)


def test_facts_open_the_same_encoder_from_another_place(tmp_path):
    config = encoders(tmp_path)["onnx_fixed"]
    facts = EncoderFacts.of(find_encoder(config, ("one_rows",)).facts.model_dump(mode="json"))
    moved = (tmp_path / "f.onnx").rename(tmp_path / "moved.onnx")
    again = find_encoder(configured(facts, str(moved)), facts.layers)
    assert again.facts == facts
    write_onnx(moved)
    with pytest.raises(ValueError, match="is another encoder than the one that is wanted"):
        open_encoder(again, "cpu")


@pytest.mark.parametrize(
    "kind", ["onnx", "torchscript", "openwakeword", "cnn14", "beats", "atst", "m2d"]
)
def test_a_missing_file_is_refused_with_where_people_get_it(tmp_path, kind):
    timing = {"sample_rate_hz": 16000, "hop": 400} if kind in ("onnx", "torchscript") else {}
    config = Encoder(kind=kind, path=str(tmp_path / "absent"), **timing)
    with pytest.raises(
        ValueError, match=f"no such file, the {kind} encoder's. It is not downloaded"
    ):
        find_encoder(config, None)


def test_a_checkpoint_of_other_objects_than_tensors_is_refused(tmp_path):
    path = stored(tmp_path / "beats.pt", {"cfg": {}, "model": {}, "more": Path("x")})
    with pytest.raises(ValueError, match=r"beats.pt: not a checkpoint of tensors"):
        find_encoder(Encoder(kind="beats", path=path), None)
    (tmp_path / "text.pt").write_text("no checkpoint")
    with pytest.raises(ValueError, match=r"text.pt: not a checkpoint of tensors"):
        find_encoder(Encoder(kind="cnn14", path=str(tmp_path / "text.pt")), None)
    stored(tmp_path / "list.pt", [torch.ones(1)])
    with pytest.raises(ValueError, match=r"list.pt: holds no mapping"):
        find_encoder(Encoder(kind="cnn14", path=str(tmp_path / "list.pt")), None)
    stored(tmp_path / "other.pt", {"weight": torch.ones(1)})
    with pytest.raises(ValueError, match=r"other.pt: these are not the weights of a CNN14"):
        find_encoder(Encoder(kind="cnn14", path=str(tmp_path / "other.pt")), None)


def test_a_class_is_known_by_its_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine.py").write_text("class Mine:\n    pass\n")
    config = Encoder(kind="python", python="mine:Mine")
    before = sha256_of(config)
    (tmp_path / "mine.py").write_text("class Mine:\n    hop = 2\n")
    assert sha256_of(config) != before
