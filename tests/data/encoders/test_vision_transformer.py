import torch
from torch import nn

from raysed.data.encoders.vision_transformer import EPSILON, HEAD, VisionBlock
from tests.data.encoders.small import filled

WIDTH = 2 * HEAD
NAMES = {
    "self_attn.in_proj_": "attn.qkv.",
    "self_attn.out_proj.": "attn.proj.",
    "linear1.": "mlp.fc1.",
    "linear2.": "mlp.fc2.",
    "norm1.": "norm1.",
    "norm2.": "norm2.",
}


def test_a_block_is_torchs_encoder_layer_with_the_norm_first():
    theirs = nn.TransformerEncoderLayer(
        WIDTH, 2, 96, 0.0, "gelu", EPSILON, batch_first=True, norm_first=True
    ).eval()
    theirs.load_state_dict(filled({n: v.shape for n, v in theirs.state_dict().items()}, 0))
    weights = {
        name.replace(before, after): value
        for name, value in theirs.state_dict().items()
        for before, after in NAMES.items()
        if name.startswith(before)
    }
    ours = VisionBlock({f"blocks.4.{name}": value for name, value in weights.items()}, 4)
    ours.load_state_dict(weights)
    x_BPC = torch.from_numpy(filled({"a": (2, 9, WIDTH)}, 1)["a"].numpy()) * 30
    with torch.no_grad():
        torch.testing.assert_close(ours(x_BPC), theirs(x_BPC), rtol=1e-5, atol=1e-5)


def test_a_block_without_biases_of_queries_has_none():
    weights = {"blocks.0.mlp.fc1.weight": torch.ones(96, WIDTH)}
    assert "attn.qkv.bias" not in VisionBlock(weights, 0).state_dict()
