import numpy as np
import pytest

from raysed.data.encoders.cnn14 import Cnn14Encoder, block_numbers
from tests.data.encoders.small import cnn14_weights, golden, wave


def test_rows_are_those_of_the_published_code():
    rows_BRE = Cnn14Encoder(cnn14_weights(), None, "cpu")(wave(32000, 1.5, 2))
    expected_BRE = golden()[1]["cnn14"]
    assert rows_BRE.shape == expected_BRE.shape == (2, 4, 8)
    assert np.abs(rows_BRE - expected_BRE).max() < 1e-5 * np.abs(expected_BRE).max()


def test_several_blocks_stand_side_by_side():
    encoder = Cnn14Encoder(cnn14_weights(), (2, 6), "cpu")
    rows_BRE = encoder(wave(32000, 1.5, 2))
    assert rows_BRE.shape == (2, 4, encoder.width) and encoder.width == 3 + 8
    np.testing.assert_allclose(rows_BRE[..., 3:], golden()[1]["cnn14"], atol=1e-6)


def test_other_weights_are_refused():
    weights = cnn14_weights()
    del weights["conv_block3.conv1.weight"]
    with pytest.raises(ValueError, match="not the weights of a CNN14"):
        Cnn14Encoder(weights, None, "cpu")


def test_blocks_are_numbered_from_one():
    assert block_numbers(None, 6) == (6,) and block_numbers((1, 3), 6) == (1, 3)
    for wrong in ((0,), (7,), ("last",)):
        with pytest.raises(ValueError, match="blocks 1 to 6"):
            block_numbers(wrong, 6)
