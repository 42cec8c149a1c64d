"""The benchmark of encoders counts right; what it measures is too long for a test."""

import numpy as np
import pytest

from benchmarks.common import paired
from benchmarks.encoders import (
    batches_of,
    difference,
    first_batch,
    float16_error,
    seconds_of,
    write_clips,
)
from benchmarks.float16_rows import distance
from raysed.config.data_job import Features
from raysed.config.encoder import EmbeddingFusion


def test_the_error_of_float16_by_hand():
    """Between 2048 and 4096 float16 has every second number."""
    found = float16_error(np.array([[2048.0], [2049.0], [2050.0], [2051.0]], np.float32))
    assert found["largest"] == 1.0 and found["rms"] == pytest.approx(0.71)
    assert difference([np.zeros(2)], [np.array([1.0, -3.0])]) == 3.0


def test_batches_with_and_without_rows():
    assert first_batch(batches_of(None)[1], 0).rows_BRE is None
    rows_BRE = first_batch(batches_of(EmbeddingFusion(fusion="pool", width=8))[1], 0).rows_BRE
    assert rows_BRE is not None and rows_BRE.shape == (24, 250, 8)


def test_scores_apart_by_hand():
    """Two of four decisions at 0.5 change; 0.5 itself is one of the active."""
    one, other = np.array([0.5, 0.4, 0.9, 0.2]), np.array([0.4, 0.5, 0.9, 0.2])
    found = distance(one, other)
    assert found == {"largest": 0.1, "rms": 0.071, "decisions_changed": 0.5}


def test_pairs_are_read_by_the_clock_that_is_given(tmp_path):
    clocks = iter(range(1, 100))
    times = paired(len, len, pairs=2, clock=lambda work, argument: next(clocks))
    # The first pair does not count, and the two take turns in going first.
    assert times == ([4, 5], [3, 6])
    assert seconds_of(lambda _: None, 0) >= 0
    files = write_clips(tmp_path, Features(duration_s=1.0), 3)
    assert [file.name for file in files] == ["0.wav", "1.wav", "2.wav"]
