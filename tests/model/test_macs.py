"""MACs by hand, and the figure that is published for the model."""

import pytest
import torch
from torch import nn

from raysed.config.data_job import Features
from raysed.config.encoder import EmbeddingFusion, EncoderFacts
from raysed.config.trial import Model
from raysed.model.macs import macs, macs_of_10_s


def test_the_published_model_has_the_published_figure():
    """DESED_task states 930.902 M (THOP) for the same network on 626 frames of 128 bands."""
    features = Features(hop=256)
    assert (features.n_frames, features.n_mels) == (626, 128)
    assert macs_of_10_s(Model(), features, 10) == pytest.approx(930.902e6, rel=1e-5)


def test_it_is_of_10_s_whatever_the_clips_are():
    small = Model(filters=(4, 4), pooling=((2, 4), (1, 2)), gru_units=4, gru_layers=1)
    found = [
        macs_of_10_s(small, Features(n_mels=8, duration_s=duration), 3) for duration in (1.0, 20.0)
    ]
    assert found[0] == found[1] > 0


def test_products_by_hand():
    # 4 * 6 pixels, 3 channels out of 2, 9 taps; 5 rows of 7 inputs and 2 outputs.
    assert macs(nn.Conv2d(2, 3, 3, padding=1), torch.zeros(1, 2, 4, 6)) == 24 * 3 * 2 * 9
    assert macs(nn.Linear(7, 2), torch.zeros(5, 7)) == 5 * 7 * 2


def test_the_rest_by_hand():
    assert macs(nn.BatchNorm2d(3), torch.zeros(1, 3, 4, 5)) == 4 * 60
    assert macs(nn.AvgPool2d((2, 2)), torch.zeros(1, 3, 4, 6)) == 3 * 2 * 3
    gru = nn.GRU(5, 4, num_layers=2, bidirectional=True, batch_first=True)
    # Three gates of inputs and units for each step, layer and direction; the second layer's inputs are both ways'.
    products = 3 * 4 * 7 * 2 * ((5 + 4) + (8 + 4))
    assert macs(gru, torch.zeros(1, 7, 5)) == products + 13 * 4 * 7 * 2 * 2


def test_products_without_a_module_are_counted():
    class Attention(nn.Module):
        def forward(self, x_BTC):
            return nn.functional.softmax(x_BTC @ x_BTC.transpose(1, 2), -1) @ x_BTC

    assert macs(Attention(), torch.zeros(1, 6, 4)) == 2 * 6 * 6 * 4


def test_counting_changes_nothing():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    macs_of_10_s(Model(filters=(4,), pooling=((4, 8),), gru_units=2), Features(n_mels=8), 2)
    assert torch.equal(torch.rand(2), expected)


def test_rows_of_an_encoder_cost_what_the_fusion_does_with_them():
    """The shares of rows: U x R x E; the linear layer: U x (C + E) x C."""
    facts = EncoderFacts(
        encoder={}, layers=None, sha256="", sample_rate_hz=16000, hop=1600, width=6, licence=""
    )
    fused = Model(embedding=EmbeddingFusion(fusion="pool", width=6))
    features = Features()
    more = macs_of_10_s(fused, features, 10, facts) - macs_of_10_s(Model(), features, 10)
    assert more == 157 * 100 * 6 + 157 * (128 + 6) * 128
