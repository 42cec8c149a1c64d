import numpy as np
import pytest
import torch

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


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_published_fine_tuned_checkpoint_gives_the_same_rows(prefix):
    """It has a classifier, its size among the sizes, and the names of its outputs; its blocks share one table of positions,
    which each of them lists.
    """
    checkpoint = beats_checkpoint()
    weights = checkpoint["model"] | {
        "predictor.weight": torch.ones(527, 16),
        "predictor.bias": torch.ones(527),
    }
    table = weights["encoder.layers.0.self_attn.relative_attention_bias.weight"]
    for n in (1, 2):
        weights[f"encoder.layers.{n}.self_attn.relative_attention_bias.weight"] = table
    tuned = {
        "cfg": {**checkpoint["cfg"], "finetuned_model": True, "predictor_class": 527},
        "model": {prefix + name: value for name, value in weights.items()},
        "label_dict": {0: "/m/09x0r"},
    }
    clip = wave(16000, 1.0, 4)
    ours, theirs = (BeatsEncoder(c, None, "cpu")(clip) for c in (checkpoint, tuned))
    assert np.array_equal(ours, theirs)


def test_other_parts_are_refused_by_name():
    checkpoint = beats_checkpoint()
    checkpoint["model"]["quantize.embed"] = torch.ones(1)
    del checkpoint["model"]["encoder.layers.1.fc1.bias"]
    with pytest.raises(
        ValueError, match=r"lacks layers.1.fc1.bias; it holds quantize.embed, which"
    ):
        BeatsEncoder(checkpoint, None, "cpu")


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
