import numpy as np
import pytest

from raysed.data.encoders.beats import BeatsEncoder
from tests.data.encoders.small import beats_checkpoint, golden, wave


def test_rows_are_those_of_the_published_code():
    """Which gives a row for each patch; ours is the mean of the eight patches of a time."""
    encoder = BeatsEncoder(beats_checkpoint(), None, "cpu")
    rows_BRE, expected_BRPE = encoder(wave(16000, 2.3, 4)), golden()[1]["beats"]
    assert rows_BRE.shape == (2, 14, 16) == (2, 14, encoder.width)
    assert np.abs(rows_BRE - expected_BRPE.mean(2)).max() < 1e-5
    assert (encoder.hop, encoder.span) == (2560, 2800)


def test_several_blocks_stand_side_by_side():
    encoder = BeatsEncoder(beats_checkpoint(), (1, 3), "cpu")
    rows_BRE = encoder(wave(16000, 2.3, 4))
    assert rows_BRE.shape == (2, 14, 32)
    np.testing.assert_allclose(rows_BRE[..., 16:], golden()[1]["beats"].mean(2), atol=1e-5)


def test_a_fine_tuned_checkpoint_gives_the_same_rows():
    checkpoint = beats_checkpoint()
    more = {"predictor.weight": checkpoint["model"]["layer_norm.weight"]}
    tuned = {"cfg": checkpoint["cfg"], "model": checkpoint["model"] | more}
    clip = wave(16000, 1.0, 4)
    ours, theirs = (BeatsEncoder(c, None, "cpu")(clip) for c in (checkpoint, tuned))
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cfg": None}, "lacks `cfg` or `model`"),
        ({"model": {}}, "not the weights of BEATs"),
        ({"cfg": {"layer_norm_first": True}}, "not a published form"),
        ({"cfg": {"gru_rel_pos": True}}, "not the weights of BEATs"),
    ],
)
def test_other_checkpoints_are_refused(change, told):
    with pytest.raises(ValueError, match=told):
        BeatsEncoder({**beats_checkpoint(), **change}, None, "cpu")
