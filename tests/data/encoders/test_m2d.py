import numpy as np
import pytest
import torch

from raysed.config.encoder import Encoder
from raysed.data.encoders.m2d import M2dEncoder
from raysed.data.encoders.opening import find_encoder
from tests.data.encoders.small import golden, m2d_checkpoint, m2d_weights, stored, wave


@pytest.mark.parametrize(
    ("seconds", "stored_as", "rows"), [(1.12, "m2d_whole", 7), (0.63, "m2d_short", 4)]
)
def test_rows_are_those_of_the_published_code(seconds, stored_as, rows):
    """Of a clip as long as the network's positions, and of a shorter one (m2d f0c4128, `PortableM2D.encode`)."""
    encoder = M2dEncoder(m2d_checkpoint(), None, "cpu")
    rows_BRE, expected_BRE = encoder(wave(16000, seconds, 8)), golden()[1][stored_as]
    assert rows_BRE.shape == expected_BRE.shape == (2, rows, encoder.width)
    assert np.abs(rows_BRE - expected_BRE).max() < 1e-5 * np.abs(expected_BRE).max()
    assert (encoder.hop, encoder.window) == (2560, 7 * 2560)


def test_several_blocks_stand_side_by_side():
    rows_BRE = M2dEncoder(m2d_checkpoint(), (1, 2), "cpu")(wave(16000, 0.63, 8))
    assert rows_BRE.shape == (2, 4, 2 * 640)
    np.testing.assert_allclose(rows_BRE[..., 640:], golden()[1]["m2d_short"], atol=5e-5)


@pytest.mark.parametrize("prefix", ["module.ar.runtime.backbone.", "backbone.", "module.", ""])
def test_published_forms_give_the_same_rows(prefix):
    """Tuned by the published evaluation, stored by the published runtime, and the encoder alone."""
    weights = {prefix + name: value for name, value in m2d_weights().items()}
    head = {"module.head.mlp.mlp.0.weight": torch.ones(3, 640)} if "ar" in prefix else {}
    found = M2dEncoder(weights | head, None, "cpu")(wave(16000, 0.5, 8))
    expected = M2dEncoder(m2d_checkpoint(), None, "cpu")(wave(16000, 0.5, 8))
    np.testing.assert_array_equal(found, expected)


def test_weights_of_2022_have_their_norm():
    weights = m2d_weights()
    given, left_out = {**weights, "norm_stats": torch.tensor([-7.1, 4.2])}, dict(weights)
    del left_out["norm_stats"]
    one, other = (M2dEncoder(w, None, "cpu")(wave(16000, 0.5, 8)) for w in (given, left_out))
    np.testing.assert_array_equal(one, other)


def test_weights_for_32_khz_need_their_rate(tmp_path):
    folder = tmp_path / "m2d_as_vit_base-80x1001p16x16p32k"
    folder.mkdir()
    path = stored(folder / "weights.pth", m2d_weights())
    with pytest.raises(ValueError, match="add `sample_rate_hz: 32000`"):
        find_encoder(Encoder(kind="m2d", path=path), None)
    facts = find_encoder(Encoder(kind="m2d", path=path, sample_rate_hz=32000), None).facts
    assert (facts.sample_rate_hz, facts.hop) == (32000, 5120)
    assert facts.encoder == {"kind": "m2d", "sample_rate_hz": 32000}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"norm.weight": None}, "lacks norm.weight"),
        ({"pos_embed": None}, "lacks 'pos_embed'"),
        ({"fc_norm.weight": torch.ones(128)}, "holds fc_norm.weight, which it does not know"),
    ],
)
def test_other_weights_are_refused_by_name(change, told):
    weights = {name: v for name, v in (m2d_weights() | change).items() if v is not None}
    with pytest.raises(ValueError, match=f"not the weights of M2D: it {told}"):
        M2dEncoder(weights, None, "cpu")
