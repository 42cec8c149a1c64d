import argparse

import numpy as np
import pytest
import torch
from torch import nn

from raysed.data.encoders.published_weights import (
    block_count,
    load_strictly,
    read_published,
    weights_of,
)


def test_what_training_scripts_store_beside_the_weights_is_read(tmp_path):
    """M2D: the arguments; PANNs: the state of a sampler. Both forms of a file of torch."""
    state = {"indexes": np.arange(3), "weights": np.ones(2)}
    content = {"model": {"a": torch.ones(2)}, "args": argparse.Namespace(lr=1.0), "sampler": state}
    for zipped in (True, False):
        torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
        found = read_published(str(tmp_path / "a.pth"))
        assert found["args"].lr == 1.0 and found["sampler"]["indexes"].tolist() == [0, 1, 2]
        assert weights_of(found).keys() == {"a"}


def test_an_array_of_numpy_1_is_read(tmp_path):
    """Whose module of the function that makes it had another name."""
    path = tmp_path / "a.pth"
    content = {"model": {"a": torch.ones(2)}, "sampler": np.arange(3)}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    stored = path.read_bytes()
    assert stored.count(b"cnumpy._core.multiarray\n") == 1
    path.write_bytes(stored.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    assert read_published(str(path))["sampler"].tolist() == [0, 1, 2]


class Ours:
    """Something that only its own code can read."""


def test_other_objects_are_refused_with_what_to_do(tmp_path):
    torch.save({"model": {}, "callback": Ours()}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"a.pth: not a checkpoint of tensors.*its weights alone"):
        read_published(str(tmp_path / "a.pth"))


def test_weights_are_those_under_the_first_prefix_that_any_has():
    one, two = torch.ones(1), torch.ones(2)
    both = {"inner.a": one, "outer.inner.a": two, "epoch": 3}
    assert weights_of({"state_dict": both}, ("outer.inner.", "inner."))["a"] is two
    assert weights_of({"model": both}, ("inner.",)) == {"a": one}
    assert weights_of(both).keys() == {"inner.a", "outer.inner.a"}
    assert weights_of({"module.a": one, "step": two}) == {"a": one}
    with pytest.raises(ValueError, match="holds no mapping"):
        weights_of({"model": [one]})


def test_every_fault_is_told_by_name():
    network = nn.Linear(2, 3)
    given = {"bias": torch.ones(2), **{f"more.{n}": torch.ones(1) for n in range(5)}}
    with pytest.raises(ValueError) as told:
        load_strictly(network, given, "a line")
    assert str(told.value) == (
        "these are not the weights of a line: it lacks weight; it holds more.0, more.1, more.2 and 2 more, which it does"
        " not know; it has bias of the shape [2], expected [3]"
    )
    whole = {"weight": torch.ones(3, 2), "bias": torch.ones(3), "more.1": torch.ones(1)}
    load_strictly(network, whole | {"total_ops": torch.ones(1)}, "a line", ("more.",))
    assert network.weight.sum() == 6


def test_blocks_are_counted_by_their_numbers():
    names = ("blocks.0.a", "blocks.0.b", "blocks.10.a", "norm.a")
    assert block_count({name: torch.ones(1) for name in names}) == 2
