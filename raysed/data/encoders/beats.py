"""BEATs as an encoder: 768 values every 160 ms, of audio at 16 kHz.

Patches of 16 frames by 16 bands of a log-mel go through a transformer whose attention has gated relative positions; a
row is the mean of the patches of one time. The sizes are those of the checkpoint's own configuration. Source: Chen et
al. 2022, BEATs (arXiv:2212.09058); WavLM (arXiv:2110.13900) for the gated positions; DeepNorm (arXiv:2203.00555).
B waveforms, P patches, H heads, D values of a head, C values of a patch.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
import torchaudio.compliance.kaldi as kaldi
from torch import Tensor, nn

from raysed.data.encoders.published_weights import block_count, load_strictly, weights_of
from raysed.data.encoders.torch_encoder import TorchEncoder, block_numbers

_MEAN, _DEVIATION, _FULL_SCALE = 15.41663, 6.55582, 2.0**15
_BANDS, _FRAME, _FRAME_HOP = 128, 400, 160
_GATE = 8
_SIZES = "sizes"
"""The sizes that no shape of a weight tells: the distance of the last bucket, and whether blocks have DeepNorm's scale."""


class _Attention(nn.Module):
    """Attention with a bias for each pair of positions, weighted by a gate of the query."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        width, self.heads = cfg["encoder_embed_dim"], cfg["encoder_attention_heads"]
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            self.add_module(name, nn.Linear(width, width))
        self.grep_linear = nn.Linear(width // self.heads, _GATE)
        self.grep_a = nn.Parameter(torch.ones(1, self.heads, 1, 1))

    def forward(self, x_BPC: Tensor, bias_HPP: Tensor) -> Tensor:
        query, key, value = (
            self.get_submodule(name)(x_BPC).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for name in ("q_proj", "k_proj", "v_proj")
        )
        gates_BHP2 = self.grep_linear(query).unflatten(3, (2, _GATE // 2)).sum(-1).sigmoid()
        update_BHP1, reset_BHP1 = gates_BHP2.chunk(2, dim=-1)
        gate_BHP1 = update_BHP1 * (reset_BHP1 * self.grep_a - 1.0) + 2.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=gate_BHP1 * bias_HPP)
        return self.get_submodule("out_proj")(mixed.transpose(1, 2).flatten(2))


class _Layer(nn.Module):
    """A block of the transformer, with the norm after each sum."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        width, inner = cfg["encoder_embed_dim"], cfg["encoder_ffn_embed_dim"]
        self.self_attn = _Attention(cfg)
        self.self_attn_layer_norm, self.final_layer_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.scale = (2 * cfg["encoder_layers"]) ** 0.25 if cfg.get("deep_norm") else 1.0

    def forward(self, x_BPC: Tensor, bias_HPP: Tensor) -> Tensor:
        x_BPC = self.self_attn_layer_norm(self.scale * x_BPC + self.self_attn(x_BPC, bias_HPP))
        return self.final_layer_norm(self.scale * x_BPC + self.fc2(F.gelu(self.fc1(x_BPC))))


class Beats(nn.Module):
    """The network, with the names of the published weights."""

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        self.patch, width = cfg["input_patch_size"], cfg["encoder_embed_dim"]
        self.buckets, self.distance = cfg["num_buckets"], cfg["max_distance"]
        self.patch_embedding = nn.Conv2d(
            1, cfg["embed_dim"], self.patch, self.patch, bias=cfg.get("conv_bias", False)
        )
        self.layer_norm = nn.LayerNorm(cfg["embed_dim"])
        self.post_extract_proj: nn.Module = nn.Identity()
        if cfg["embed_dim"] != width:
            self.post_extract_proj = nn.Linear(cfg["embed_dim"], width)
        kernel = cfg["conv_pos"]
        self.positions = nn.Conv1d(
            width, width, kernel, padding=kernel // 2, groups=cfg["conv_pos_groups"]
        )
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(_Layer(cfg) for _ in range(cfg["encoder_layers"]))
        self.relative_attention_bias = nn.Embedding(self.buckets, cfg["encoder_attention_heads"])
        self.register_buffer(_SIZES, _sizes(cfg))

    def forward(self, waveform_BT: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return rows (B, R, C) of the named blocks."""
        mels = [_log_mel(waveform_T) for waveform_T in waveform_BT]
        x_BCRF = self.patch_embedding(torch.stack(mels).unsqueeze(1))
        bands = x_BCRF.shape[3]
        x_BPC = self.post_extract_proj(self.layer_norm(x_BCRF.flatten(2).transpose(1, 2)))
        placed_BCP = self.positions(x_BPC.transpose(1, 2))[..., : x_BPC.shape[1]]
        x_BPC = self.norm(x_BPC + F.gelu(placed_BCP).transpose(1, 2))
        bias_HPP = self._bias(x_BPC.shape[1])
        found = {}
        for number, layer in enumerate(self.layers, 1):
            x_BPC = layer(x_BPC, bias_HPP)
            if number in layers:
                found[number] = x_BPC.unflatten(1, (-1, bands)).mean(2)
        return [found[number] for number in layers]

    def _bias(self, patches: int) -> Tensor:
        """Return the bias of each pair of positions: exact for near ones, then in buckets that grow with distance."""
        place_P = torch.arange(patches, device=self.relative_attention_bias.weight.device)
        offset_PP = place_P[None] - place_P[:, None]
        half, far_PP = self.buckets // 2, offset_PP.abs()
        exact = half // 2
        grown_PP = (far_PP.clamp_min(1).float() / exact).log() / math.log(self.distance / exact)
        wide_PP = (exact + (grown_PP * (half - exact)).long()).clamp_max(half - 1)
        bucket_PP = torch.where(far_PP < exact, far_PP, wide_PP) + half * (offset_PP > 0)
        return self.relative_attention_bias(bucket_PP).permute(2, 0, 1)


class BeatsEncoder(TorchEncoder):
    """BEATs with its front end. It is trained on 10 s, which is the most that it is given."""

    sample_rate_hz = 16000
    window: int | None = 10 * sample_rate_hz
    fixed = False
    licence = "MIT"

    def __init__(
        self, checkpoint: Mapping[str, Any], layers: Sequence[int | str] | None, device: str
    ) -> None:
        cfg, weights = checkpoint.get("cfg"), checkpoint.get("model")
        if isinstance(weights, Mapping) and _SIZES in weights:
            cfg = _configuration(weights)
        if not isinstance(cfg, Mapping) or not isinstance(weights, Mapping):
            raise ValueError("this is not a checkpoint of BEATs: it lacks `cfg` or `model`")
        if cfg.get("layer_norm_first") or not cfg.get("gru_rel_pos"):
            raise ValueError("this is not a published form of BEATs: its norms or positions differ")
        try:
            network = Beats(cfg)
            own = _renamed(weights_of(checkpoint)) | {_SIZES: _sizes(cfg)}
        except KeyError as error:
            raise ValueError(f"these are not the weights of BEATs: it lacks {error}") from error
        load_strictly(network, own, "BEATs", ("predictor.",))
        super().__init__(network, block_numbers(layers, cfg["encoder_layers"]), device)
        self.width = len(self.layers) * cfg["encoder_embed_dim"]
        patch = cfg["input_patch_size"]
        self.hop = patch * _FRAME_HOP
        self.span = (patch - 1) * _FRAME_HOP + _FRAME
        self.centre = self.span // 2


def _log_mel(waveform_T: Tensor) -> Tensor:
    """Return the normalised log-mel (T, F) of frames that lie wholly in the waveform."""
    mel_TF = kaldi.fbank(
        waveform_T[None] * _FULL_SCALE,
        num_mel_bins=_BANDS,
        sample_frequency=BeatsEncoder.sample_rate_hz,
        frame_length=25,
        frame_shift=10,
    )
    return (mel_TF - _MEAN) / (2 * _DEVIATION)


def _renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights by this module's names: positions without their norm, one table of biases."""
    moved = {"encoder.pos_conv.0.": "positions.", "encoder.layer_norm.": "norm."}
    moved["encoder.layers.0.self_attn.relative_attention_bias."] = "relative_attention_bias."
    moved["encoder.layers."] = "layers."
    found = {}
    for name, value in weights.items():
        for before, after in moved.items():
            if name.startswith(before):
                name = after + name.removeprefix(before)
                break
        if ".relative_attention_bias." not in name:
            found[name] = value
    if "positions.weight" in found:
        return found
    # Weight normalisation over all but the last axis.
    scale, direction = found.pop("positions.weight_g"), found.pop("positions.weight_v")
    found["positions.weight"] = direction * (scale / direction.norm(dim=(0, 1), keepdim=True))
    return found


def _sizes(cfg: Mapping[str, Any]) -> Tensor:
    return torch.tensor([float(cfg["max_distance"]), float(bool(cfg.get("deep_norm")))])


def _configuration(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the sizes of a network that was stored by its own names."""
    distance, deep = weights[_SIZES].tolist()
    buckets, heads = weights["relative_attention_bias.weight"].shape
    embedded, _, patch, _ = weights["patch_embedding.weight"].shape
    width, own, kernel = weights["positions.weight"].shape
    return {
        "input_patch_size": patch,
        "embed_dim": embedded,
        "conv_bias": "patch_embedding.bias" in weights,
        "encoder_layers": block_count(weights, "layers."),
        "encoder_embed_dim": width,
        "encoder_ffn_embed_dim": len(weights["layers.0.fc1.weight"]),
        "encoder_attention_heads": heads,
        "conv_pos": kernel,
        "conv_pos_groups": width // own,
        "num_buckets": buckets,
        "max_distance": int(distance),
        "deep_norm": bool(deep),
        "gru_rel_pos": True,
    }
