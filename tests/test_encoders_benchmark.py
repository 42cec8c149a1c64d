"""The benchmark of encoders counts right; what it measures is too long for a test."""

import numpy as np
import pytest

from benchmarks.encoders import batches_of, difference, first_batch, float16_error
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
