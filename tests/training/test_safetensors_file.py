"""Nested tensors in one flat file and back."""

import pytest
import torch

from raysed.training.safetensors_file import encode_safetensors, is_safetensors, parse_safetensors

TENSORS = {
    "student": {"a.weight": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(3)},
    "mean_F": torch.tensor([0.1, -0.0]),
}


def test_both_ways():
    content = encode_safetensors(TENSORS, {"classes": ["Dog"], "format": 1})
    assert is_safetensors(content) and not is_safetensors(b"PK\x03\x04" + bytes(20))
    tensors, about = parse_safetensors(content, "x")
    assert about == {"classes": ["Dog"], "format": 1}
    assert torch.equal(tensors["student"]["a.weight"], TENSORS["student"]["a.weight"])
    assert tensors["student"]["n"].dtype == torch.int64
    assert torch.equal(tensors["mean_F"].view(torch.int32), TENSORS["mean_F"].view(torch.int32))


def test_another_programs_file_is_told():
    from safetensors.torch import save

    with pytest.raises(ValueError, match="x: not a whole safetensors file of raysed"):
        parse_safetensors(save({"w": torch.zeros(2)}), "x")
