"""Masked Modeling Duo (M2D) as an encoder, of audio at 16 or 32 kHz: 3840 values every 160 ms, or 40 ms by its patches.

Patches of a log-mel of 80 bands go through a vision transformer with fixed positions; a row is the patches of a time
side by side, the lowest band first. The sizes are those of the weights. Source: Niizumi et al. 2024, Masked Modeling
Duo: Towards a Universal Audio Pre-training Framework (arXiv:2404.06095). B waveforms, P patches, R rows, C values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from raysed.data.encoders.power_mel import Bands, PowerMel
from raysed.data.encoders.published_weights import block_count, load_strictly, weights_of
from raysed.data.encoders.torch_encoder import TorchEncoder, block_numbers
from raysed.data.encoders.vision_transformer import EPSILON, VisionBlock

_BANDS, _LOW_HZ = 80, 50.0
_FRAME_S, _FRAME_HOP_S = 0.025, 0.01
_FLOOR = torch.finfo(torch.float32).eps
_NORM = (-7.1, 4.2)
"""Mean and deviation of the log-mel, of weights that do not hold them (2022)."""
_PREFIXES = ("module.ar.runtime.backbone.", "backbone.")
"""The places of the network: tuned by the published evaluation, or stored by the published runtime."""
_OTHERS = (
    *("decoder_", "target_", "mask_token", "offline_predictor.", "head.", "head_norm."),
    *("audio_proj.", "text_proj.", "text_encoder.", "logit_scale"),
)
"""Parts of the pretraining, of classifiers and of M2D-CLAP."""


class M2d(nn.Module):
    """The network, with the names of the published weights."""

    after_blocks = ("norm.",)

    norm_stats: Tensor

    def __init__(self, weights: Mapping[str, Tensor], rate_hz: int) -> None:
        super().__init__()
        width, _, height, self.frames = weights["patch_embed.proj.weight"].shape
        self.bands = _BANDS // height
        self.places = (weights["pos_embed"].shape[1] - 1) // self.bands
        fft, hop = round(_FRAME_S * rate_hz), round(_FRAME_HOP_S * rate_hz)
        self.mel = PowerMel(rate_hz, fft, hop, Bands(_BANDS, _LOW_HZ, rate_hz / 2))
        patches = nn.Conv2d(1, width, (height, self.frames), (height, self.frames))
        self.patch_embed = nn.ModuleDict({"proj": patches})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        places = torch.zeros(1, self.bands * self.places + 1, width)
        self.pos_embed = nn.Parameter(
            places, requires_grad=False
        )  # fixed where it was trained, too
        self.register_buffer("norm_stats", torch.tensor(_NORM))
        self.blocks = nn.ModuleList(VisionBlock(weights, n) for n in range(block_count(weights)))
        self.norm = nn.LayerNorm(width, EPSILON)

    def forward(self, waveform_BT: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return rows (B, R, bands * C) of the named blocks, the last one after the norm."""
        mean, deviation = self.norm_stats
        mel_BTF = ((self.mel(waveform_BT) + _FLOOR).log() - mean) / deviation
        x_BCFR = self.patch_embed["proj"](mel_BTF.transpose(1, 2).unsqueeze(1))
        rows = x_BCFR.shape[3]
        first_11C, places_1PC = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        places_1FRC = places_1PC.unflatten(1, (self.bands, self.places))[:, :, :rows]
        x_BPC = x_BCFR.flatten(2).transpose(1, 2) + places_1FRC.flatten(1, 2)
        whole_B1C = (self.cls_token + first_11C).expand(len(x_BPC), -1, -1)
        x_BPC = torch.cat((whole_B1C, x_BPC), dim=1)
        found = {}
        for number, block in enumerate(self.blocks, 1):
            x_BPC = block(x_BPC)
            if number in layers:
                given = self.norm(x_BPC) if number == len(self.blocks) else x_BPC
                by_band_BFRC = given[:, 1:].unflatten(1, (self.bands, rows))
                found[number] = by_band_BFRC.transpose(1, 2).flatten(2)
        return [found[number] for number in layers]


class M2dEncoder(TorchEncoder):
    """M2D with its front end. A row's middle lies 5 ms before the middle of its patches, as it is with ATST-Frame."""

    fixed = False
    licence = "NTT's licence for evaluation (LICENSE.pdf of nttcslab/m2d)"

    def __init__(
        self,
        checkpoint: Mapping[str, Any],
        layers: Sequence[int | str] | None,
        device: str,
        rate_hz: int = 16000,
    ) -> None:
        weights = weights_of(checkpoint, _PREFIXES)
        weights.setdefault("norm_stats", torch.tensor(_NORM))
        try:
            network = M2d(weights, rate_hz)
        except (KeyError, ValueError) as error:
            raise ValueError(f"these are not the weights of M2D: it lacks {error}") from error
        load_strictly(network, weights, "M2D", _OTHERS)
        super().__init__(network, block_numbers(layers, len(network.blocks)), device)
        self.sample_rate_hz = rate_hz
        self.hop = self.span = network.frames * round(_FRAME_HOP_S * rate_hz)
        self.centre = self.hop // 2
        self.window: int | None = network.places * self.hop
        self.width = len(self.layers) * network.bands * network.norm.normalized_shape[0]
