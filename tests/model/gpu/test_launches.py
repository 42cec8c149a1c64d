import pytest
import torch

from raysed.model.gpu import launches
from raysed.model.gpu.launches import (
    draws_at_once,
    power_of_two,
    program_of,
    programs_for,
    rules_of,
    shape_of,
)

CPU = torch.device("cpu")


def test_channels_are_padded_to_what_a_product_takes():
    assert [power_of_two(n) for n in (1, 16, 17, 64, 65, 129)] == [16, 16, 32, 64, 128, 256]


@pytest.mark.parametrize(
    ("pooling", "at_once"),
    [((1, 1), 1), ((1, 2), 2), ((2, 2), 4), ((3, 1), 3), ((5, 1), 1), ((2, 3), 3)],
)
def test_draws_fill_a_window_without_a_rest(pooling, at_once):
    assert draws_at_once(pooling) == at_once
    shape = shape_of((2, 10, 9, 4), pooling)
    assert shape.draws * shape.at_once == pooling[0] * pooling[1]


def test_sizes():
    shape = shape_of((2, 7, 9, 4), (2, 4))
    assert shape[:7] == (2 * 7 * 9, 7, 9, 4, 2 * 3 * 2, 3, 2)


def test_what_cannot_be_counted_or_pooled_is_refused():
    with pytest.raises(ValueError, match="leave nothing after pooling"):
        shape_of((2, 7, 1, 4), (2, 2))
    with pytest.raises(ValueError, match="2,147,483,648 pixels"):
        shape_of((1 << 11, 1 << 10, 1 << 10, 4), (1, 1))


def test_wide_blocks_have_no_program_of_their_own(monkeypatch):
    def widest(table, dot):
        fits = [n for n in (16, 32, 64, 128, 256) if program_of(table, n, dot, CPU)]
        return max(fits)

    assert widest(launches.FORWARD, torch.float32) == 128
    assert widest(launches.BACKWARD, torch.bfloat16) == 64
    # A GPU with 64 KB of shared memory, and float64, which takes twice as much.
    monkeypatch.setattr(launches, "_shared_bytes", lambda device: 65_536)
    assert widest(launches.FORWARD, torch.float32) == 64
    assert widest(launches.BACKWARD, torch.float64) == 32


def test_programs_are_no_more_than_tiles():
    assert programs_for(5, 16, CPU) == 1
    assert programs_for(1_000_000, 16, CPU) == 6


def test_the_declared_precision_decides_the_products(monkeypatch):
    def precision(dot):
        return rules_of((1, 2), 0.0, dot, taps=False).precision

    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert [precision(t) for t in (torch.float32, torch.bfloat16)] == ["tf32", "ieee"]
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    assert precision(torch.float32) == "ieee"


def test_dropout_is_a_threshold_of_32_bits_and_a_scale():
    rules = rules_of((2, 2), 0.25, torch.float32, taps=False)
    assert rules.dropped == 2**30
    assert rules.factor == pytest.approx(1 / (0.75 * 4))
    assert rules_of((2, 2), 0.0, torch.float32, taps=False).dropped == 0
