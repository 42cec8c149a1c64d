"""A checkpoint as a hub's folder, and back."""

import json

import pytest
import torch

from raysed.predict.detector import read_checkpoint
from raysed.predict.hub import write_hub


def test_weights_come_back_to_the_last_bit(place, tmp_path):
    first = read_checkpoint(str(place / "best-dry.pt"))
    assert write_hub(first, tmp_path / "hub") == ["model.safetensors", "config.json", "README.md"]
    again = read_checkpoint(str(tmp_path / "hub/model.safetensors"))
    assert again.about == first.about and again.settings == first.settings
    assert again.tensors.keys() == first.tensors.keys()
    for network in ("student", "teacher"):
        for name, weights in first.tensors[network].items():
            assert torch.equal(weights, again.tensors[network][name]), name


def test_the_card_says_what_it_is(place, tmp_path):
    first = read_checkpoint(str(place / "best-dry.pt"))
    write_hub(first, tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: raysed\n")
    assert ", ".join(first.predictor.classes) in card and "8000 Hz" in card
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "raysed" and config["classes"] == first.about["classes"]
    write_hub(first, tmp_path)  # again, over its own files


def test_a_folder_with_other_files_is_refused(place, tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    with pytest.raises(ValueError, match=r"holds secret\.txt, which would be published"):
        write_hub(read_checkpoint(str(place / "best-dry.pt")), tmp_path)


def test_a_damaged_file_is_named(place, tmp_path):
    write_hub(read_checkpoint(str(place / "best-dry.pt")), tmp_path)
    path = tmp_path / "model.safetensors"
    content = path.read_bytes()
    for broken in (
        content[:-5],
        content[:40],
        b"\xff" * 8 + b"{",
        content[:8] + b"{}" + content[10:],
    ):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"model\.safetensors: not a whole safetensors file"):
            read_checkpoint(str(path))
