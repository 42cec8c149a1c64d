"""Sums and bytes over ranks; test_ddp.py has several processes, here a group of one stands for them."""

import pytest
import torch
import torch.distributed as dist

from raysed.training.ranks import ALONE, Ranks, process_group


@pytest.fixture
def first_of_two(tmp_path):
    """Rank 0 as one of several, in a group that holds it alone."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/r", rank=0, world_size=1)
    yield Ranks(0, 2)
    dist.destroy_process_group()


def test_only_rank_0_is_first():
    assert [Ranks(rank, 3).is_first for rank in range(3)] == [True, False, False]
    assert ALONE.is_first and ALONE.world == 1


def test_alone_needs_no_process_group():
    with process_group(ALONE, "tcp://nowhere:0"):
        assert not dist.is_initialized()
        tensor = torch.tensor([1.0, 2.0])
        assert ALONE.sum_(tensor) is tensor and tensor.tolist() == [1, 2]
        assert [ALONE.broadcast(content) for content in (None, b"", b"x")] == [None, b"", b"x"]


@pytest.mark.parametrize("content", [None, b"", b"x", bytes(range(256)) * 300])
def test_bytes_arrive_as_they_are(first_of_two, content):
    assert first_of_two.broadcast(content) == content


def test_sums_are_taken_in_place(first_of_two):
    tensor = torch.arange(3.0)
    assert first_of_two.sum_(tensor) is tensor and tensor.tolist() == [0, 1, 2]


def test_the_group_is_left_also_after_an_error(tmp_path, monkeypatch):
    asked = {}
    joined = dist.init_process_group

    def join(backend, **options):
        asked.update(options, backend=backend)
        joined(backend, **{**options, "world_size": 1})

    monkeypatch.setattr(dist, "init_process_group", join)
    with pytest.raises(KeyError), process_group(Ranks(0, 2), f"file://{tmp_path}/r"):
        assert dist.is_initialized()
        raise KeyError
    assert not dist.is_initialized()
    assert (asked["backend"], asked["rank"], asked["world_size"]) == ("gloo", 0, 2)
