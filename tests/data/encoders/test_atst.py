import numpy as np
import pytest
import torch

from raysed.data.encoders.atst import AtstEncoder
from raysed.data.encoders.frame_encoder import embed
from tests.data.encoders.small import atst_checkpoint, atst_weights, golden, wave


def test_rows_are_those_of_the_published_code():
    """Of all three blocks, which it gives the last norm each (audiossl ec3a14d, `get_intermediate_layers`)."""
    encoder = AtstEncoder(atst_checkpoint(), (1, 2, 3), "cpu")
    rows_BRE, expected_BRE = encoder(wave(16000, 0.5, 6)), golden()[1]["atst"]
    assert rows_BRE.shape == expected_BRE.shape == (2, 12, 3 * 128)
    assert np.abs(rows_BRE - expected_BRE).max() < 1e-5
    last_BRE = AtstEncoder(atst_checkpoint(), None, "cpu")(wave(16000, 0.5, 6))
    np.testing.assert_array_equal(last_BRE, rows_BRE[..., 256:])


def test_a_clip_as_long_as_the_positions_is_one_input():
    """40 places of 40 ms: the rows of the clip are those of the network, with nothing before it."""
    encoder, clips = AtstEncoder(atst_checkpoint(), None, "cpu"), wave(16000, 1.6, 1)
    assert encoder.window == clips.shape[1] == 40 * encoder.hop
    np.testing.assert_allclose(embed(encoder, list(clips)), encoder(clips), atol=1e-6)


def under(prefix, **renamed):
    """The weights under a prefix, and the other way a last norm was called."""
    return {prefix + renamed.get(name, name): value for name, value in atst_weights().items()}


@pytest.mark.parametrize(
    "weights",
    [
        atst_weights(),
        under("encoder.encoder.") | {"head.linear.weight": torch.ones(3, 128)},
        under("encoder.encoder.frame_encoder.")
        | {"encoder.encoder.teacher_module.encoder.cls_token": torch.ones(1, 1, 128)},
        under("sed_teacher.atst_frame.atst.") | {"sed_student.cnn.weight": torch.ones(1)},
        under("sed_teacher.atst_frame.atst.", total_ops="total_ops")
        | {"sed_teacher.atst_frame.atst.blocks.0.total_ops": torch.zeros(1)},
        under(
            "model.teacher.encoder.",
            **{"norm_frame.weight": "norm.weight", "norm_frame.bias": "norm.bias"},
        )
        | {"model.teacher.encoder.cls_token": torch.ones(1, 1, 128)},
    ],
    ids=["plain", "tuned", "distilled", "atst_sed", "counted", "earlier"],
)
def test_published_forms_give_the_same_rows(weights):
    expected = AtstEncoder(atst_checkpoint(), None, "cpu")(wave(16000, 0.5, 6))
    found = AtstEncoder({"state_dict": weights}, None, "cpu")(wave(16000, 0.5, 6))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"blocks.1.attn.qkv.weight": None}, "lacks blocks.1.attn.qkv.weight"),
        ({"patch_embed.patch_embed.weight": None}, r"lacks 'patch_embed.patch_embed.weight'"),
        ({"prompt_embed": torch.ones(1, 1, 128)}, "holds prompt_embed, which it does not know"),
        (
            {"norm_frame.bias": torch.ones(2)},
            r"norm_frame.bias of the shape \[2\], expected \[128\]",
        ),
    ],
)
def test_other_weights_are_refused_by_name(change, told):
    weights = {name: v for name, v in (atst_weights() | change).items() if v is not None}
    with pytest.raises(ValueError, match=f"not the weights of ATST-Frame: it .*{told}"):
        AtstEncoder(weights, None, "cpu")


def test_interpolated_positions_are_refused():
    with pytest.raises(ValueError, match="expected pos_type: cut"):
        AtstEncoder(
            {**atst_checkpoint(), "hyper_parameters": {"pos_type": "interpolate"}}, None, "cpu"
        )
