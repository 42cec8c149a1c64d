"""CNN14 of PANNs as an encoder: 2048 values every 320 ms, of audio at 32 kHz.

Six blocks of two convolutions over a log-mel of 64 bands; a row is the mean of the last block over frequency. The
sizes are those of the checkpoint's weights. Source: Kong et al. 2020, PANNs (arXiv:1912.10211), table 2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raysed.data.encoders.power_mel import Bands, PowerMel
from raysed.data.encoders.published_weights import load_strictly, weights_of
from raysed.data.encoders.torch_encoder import TorchEncoder, block_numbers

_RATE_HZ, _FFT, _FRAME_HOP, _FLOOR = 32000, 1024, 320, 1e-10
_BANDS = Bands(64, 50.0, 14000.0)
_BLOCKS = 6
_POOLED = 2 ** (_BLOCKS - 1)
"""Frames of a row: every block but the last halves them."""
_PREFIXES = ("module.base.", "base.")
"""The places of the network: tuned by PANNs' own transfer code."""
_FILTERS = "logmel_extractor.melW"
_OTHERS = ("fc1.", "fc_audioset.", "fc_transfer.", "att_block.", "spectrogram_extractor.", _FILTERS)
"""The parts after the blocks, and the front end as weights."""


class _Block(nn.Module):
    """Two convolutions with batch norm."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x_BCTF: Tensor) -> Tensor:
        x_BCTF = F.relu(self.bn1(self.conv1(x_BCTF)))
        return F.relu(self.bn2(self.conv2(x_BCTF)))


class Cnn14(nn.Module):
    """The convolutional part, with the names of the published weights."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.bn0 = nn.BatchNorm2d(_BANDS.count)
        for n, (before, after) in enumerate(zip((1, *channels), channels, strict=False), 1):
            self.add_module(f"conv_block{n}", _Block(before, after))
        self.mel = PowerMel(_RATE_HZ, _FFT, _FRAME_HOP, _BANDS)

    def log_mel(self, waveform_BT: Tensor) -> Tensor:
        """Return the log-mel (B, T, F) in dB of power."""
        return 10 * self.mel(waveform_BT).clamp_min(_FLOOR).log10()

    def forward(self, waveform_BT: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return rows (B, R, C) of the named blocks, each averaged over frequency and over the frames of a row."""
        x_BCTF = self.log_mel(waveform_BT).unsqueeze(1)
        x_BCTF = self.bn0(x_BCTF.transpose(1, 3)).transpose(1, 3)
        rows = {}
        for n in range(1, _BLOCKS + 1):
            x_BCTF = self.get_submodule(f"conv_block{n}")(x_BCTF)
            if n < _BLOCKS:
                x_BCTF = F.avg_pool2d(x_BCTF, 2)
            if n in layers:
                mean_BCT = x_BCTF.mean(3)
                left = _POOLED // 2 ** min(n, _BLOCKS - 1)
                rows[n] = F.avg_pool1d(mean_BCT, left).transpose(1, 2)
        return [rows[n] for n in layers]


class Cnn14Encoder(TorchEncoder):
    """CNN14 with its front end."""

    sample_rate_hz = _RATE_HZ
    hop = span = _POOLED * _FRAME_HOP
    centre = (_POOLED - 1) * _FRAME_HOP // 2
    window = None
    fixed = False
    licence = "MIT (code), CC BY 4.0 (published weights)"

    def __init__(
        self, checkpoint: Mapping[str, Any], layers: Sequence[int | str] | None, device: str
    ) -> None:
        weights, numbers = weights_of(checkpoint, _PREFIXES), range(1, _BLOCKS + 1)
        try:
            channels = [len(weights[f"conv_block{n}.conv1.weight"]) for n in numbers]
        except KeyError as error:
            raise ValueError(f"these are not the weights of a CNN14: it lacks {error}") from error
        network = Cnn14(channels)
        load_strictly(network, weights, "a CNN14", _OTHERS)
        _hears_alike(network, weights)
        super().__init__(network, block_numbers(layers, _BLOCKS), device)
        self.width = sum(channels[n - 1] for n in self.layers)


def _hears_alike(network: Cnn14, weights: Mapping[str, Tensor]) -> None:
    """Raise ValueError where the checkpoint's own mel filters are others: those of CNN14 at 8 or 16 kHz."""
    own_QF, theirs_QF = network.mel.get_buffer("filters_QF"), weights.get(_FILTERS)
    if theirs_QF is None:
        return
    if theirs_QF.shape != own_QF.shape or not torch.allclose(theirs_QF, own_QF, atol=1e-5):
        raise ValueError(
            f"this CNN14 has mel filters {list(theirs_QF.shape)} of another sample rate; expected those of 32 kHz, 1024"
            " samples a frame, 64 bands from 50 to 14000 Hz"
        )
