"""ATST-Frame as an encoder: 768 values (`small`: 384) every 40 ms, of audio at 16 kHz.

Four frames of a log-mel of 64 bands are a patch, and patches go through a transformer with learnt positions, at most
10 s. The sizes are those of the weights. Source: Li et al. 2023, Self-supervised Audio Teacher-Student Transformer for
Both Clip-level and Frame-level Tasks (arXiv:2306.04186). B waveforms, R rows, C values, F bands.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from raysed.data.encoders.power_mel import Bands, PowerMel
from raysed.data.encoders.published_weights import block_count, load_strictly, weights_of
from raysed.data.encoders.torch_encoder import TorchEncoder, block_numbers
from raysed.data.encoders.vision_transformer import EPSILON, VisionBlock

_RATE_HZ, _FFT, _FRAME_HOP = 16000, 1024, 160
_BANDS = Bands(64, 60.0, 7800.0, "htk")
_SILENCE, _RANGE_DB = 1e-10, 80.0
_LOWEST_DB, _HIGHEST_DB = -79.6482, 50.6842
_PREFIXES = (
    "sed_teacher.atst_frame.atst.",
    "model.teacher.encoder.",
    "encoder.encoder.frame_encoder.",
    "encoder.encoder.",
)
"""The places of the network: tuned on DESED, pretrained, distilled from ATST-Clip, tuned on AudioSet."""


class Atst(nn.Module):
    """The network, with the names of the published weights."""

    after_blocks = ("norm_frame.",)

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        width, values = weights["patch_embed.patch_embed.weight"].shape
        self.frames, self.places = values // _BANDS.count, weights["pos_embed"].shape[1] - 1
        self.mel = PowerMel(_RATE_HZ, _FFT, _FRAME_HOP, _BANDS)
        self.patch_embed = nn.ModuleDict({"patch_embed": nn.Linear(values, width)})
        self.pos_embed = nn.Parameter(torch.zeros(1, self.places + 1, width))
        self.blocks = nn.ModuleList(VisionBlock(weights, n) for n in range(block_count(weights)))
        self.norm_frame = nn.LayerNorm(width, EPSILON)

    def forward(self, waveform_BT: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return rows (B, R, C) of the named blocks, each after the last norm."""
        mel_BTF = _scaled_db(self.mel(waveform_BT))
        rows = mel_BTF.shape[1] // self.frames
        patch_BRFT = mel_BTF[:, : rows * self.frames].unflatten(1, (rows, -1)).transpose(2, 3)
        x_BRC = self.patch_embed["patch_embed"](patch_BRFT.flatten(2))
        x_BRC = x_BRC + self.pos_embed[:, 1 : rows + 1]
        found = {}
        for number, block in enumerate(self.blocks, 1):
            x_BRC = block(x_BRC)
            if number in layers:
                found[number] = self.norm_frame(x_BRC)
        return [found[number] for number in layers]


class AtstEncoder(TorchEncoder):
    """ATST-Frame with its front end.

    A row's middle lies 5 ms before the middle of its patch, so that ten seconds are 250 rows and one input, as in the
    published systems.
    """

    sample_rate_hz = _RATE_HZ
    fixed = False
    licence = "MIT (code), CC BY 4.0 (published weights)"

    def __init__(
        self, checkpoint: Mapping[str, Any], layers: Sequence[int | str] | None, device: str
    ) -> None:
        hyper = checkpoint.get("hyper_parameters", {})
        if isinstance(hyper, Mapping) and hyper.get("pos_type", "cut") != "cut":
            raise ValueError(
                "this form of ATST-Frame interpolates its positions; expected pos_type: cut"
            )
        weights = _renamed(weights_of(checkpoint, _PREFIXES))
        try:
            network = Atst(weights)
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"these are not the weights of ATST-Frame: it lacks {error}"
            ) from error
        load_strictly(network, weights, "ATST-Frame", ("mask_embed", "cls_token"))
        super().__init__(network, block_numbers(layers, len(network.blocks)), device)
        self.hop = self.span = network.frames * _FRAME_HOP
        self.centre = self.hop // 2
        self.window: int | None = network.places * self.hop
        self.width = len(self.layers) * network.norm_frame.normalized_shape[0]


def _scaled_db(power_BTF: Tensor) -> Tensor:
    """Return decibels, floored 80 dB under each waveform's loudest value, with the training's range at -1 to 1."""
    db_BTF = 10.0 * power_BTF.clamp_min(_SILENCE).log10()
    floor_B11 = db_BTF.amax(dim=(1, 2), keepdim=True) - _RANGE_DB
    return (db_BTF.maximum(floor_B11) - _LOWEST_DB) / (_HIGHEST_DB - _LOWEST_DB) * 2.0 - 1.0


def _renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights with the last norm by its later name."""
    return {
        "norm_frame." + name.removeprefix("norm.") if name.startswith("norm.") else name: value
        for name, value in weights.items()
    }
