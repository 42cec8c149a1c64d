import numpy as np
import pytest
import torch

from raysed.data.encoders.cnn14 import Cnn14, Cnn14Encoder
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


@pytest.mark.parametrize("prefix", ["", "module.", "base.", "module.base."])
def test_published_forms_give_the_same_rows(prefix):
    """With the front end and the classifier as weights, under `model` beside the count of iterations; and as PANNs' code
    for other tasks names them.
    """
    filters_QF = Cnn14([2, 3, 4, 5, 6, 8]).mel.get_buffer("filters_QF")
    weights = cnn14_weights() | {
        "spectrogram_extractor.stft.conv_real.weight": torch.ones(513, 1, 2),
        "logmel_extractor.melW": filters_QF.clone(),
        "fc1.weight": torch.ones(8, 8),
        "fc_audioset.bias": torch.ones(527),
    }
    published = {"iteration": 1, "model": {prefix + n: v for n, v in weights.items()}}
    found = Cnn14Encoder(published, None, "cpu")(wave(32000, 0.7, 2))
    np.testing.assert_array_equal(
        found, Cnn14Encoder(cnn14_weights(), None, "cpu")(wave(32000, 0.7, 2))
    )


def test_other_parts_are_refused_by_name():
    with pytest.raises(ValueError, match=r"holds fc2\.weight, which it does not know"):
        Cnn14Encoder(cnn14_weights() | {"fc2.weight": torch.ones(1)}, None, "cpu")


@pytest.mark.parametrize("shape", [(257, 64), (513, 64)])
def test_a_network_for_another_sample_rate_is_refused(shape):
    """Its blocks have the same shapes as those for 32 kHz."""
    weights = cnn14_weights() | {"logmel_extractor.melW": torch.full(shape, 0.01)}
    with pytest.raises(ValueError, match=r"mel filters \[\d+, 64\] of another sample rate"):
        Cnn14Encoder(weights, None, "cpu")
