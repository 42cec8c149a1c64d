"""CNN14 of PANNs as an encoder: 2048 values every 320 ms, of audio at 32 kHz.

Six blocks of two convolutions over a log-mel of 64 bands; a row is the mean of the last block over frequency. The
sizes are those of the checkpoint's weights. Source: Kong et al. 2020, PANNs (arXiv:1912.10211), table 2.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
import torchaudio
from torch import Tensor, nn

_FFT, _FRAME_HOP, _BANDS, _FLOOR = 1024, 320, 64, 1e-10
_BLOCKS = 6
_POOLED = 2 ** (_BLOCKS - 1)
"""Frames of a row: every block but the last halves them."""
_PREFIXES = ("bn0.", *(f"conv_block{n}." for n in range(1, _BLOCKS + 1)))


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
        self.bn0 = nn.BatchNorm2d(_BANDS)
        for n, (before, after) in enumerate(zip((1, *channels), channels, strict=False), 1):
            self.add_module(f"conv_block{n}", _Block(before, after))
        self.register_buffer("window_N", torch.hann_window(_FFT), persistent=False)
        filters_BF = torchaudio.functional.melscale_fbanks(
            _FFT // 2 + 1, 50.0, 14000.0, _BANDS, 32000, norm="slaney", mel_scale="slaney"
        )
        self.register_buffer("filters_BF", filters_BF, persistent=False)

    def log_mel(self, waveform_BT: Tensor) -> Tensor:
        """Return the log-mel (B, T, F) in dB of power."""
        spectrum = torch.stft(
            waveform_BT,
            _FFT,
            _FRAME_HOP,
            window=self.get_buffer("window_N"),
            pad_mode="reflect",
            return_complex=True,
        )
        power_BTB = spectrum.abs().square().transpose(1, 2)
        return 10 * (power_BTB @ self.get_buffer("filters_BF")).clamp_min(_FLOOR).log10()

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


class Cnn14Encoder:
    """CNN14 with its front end."""

    sample_rate_hz = 32000
    hop = span = _POOLED * _FRAME_HOP
    centre = (_POOLED - 1) * _FRAME_HOP // 2
    window = None
    fixed = False
    licence = "MIT (code), CC BY 4.0 (published weights)"

    def __init__(
        self, weights: Mapping[str, Tensor], layers: Sequence[int | str] | None, device: str
    ) -> None:
        self._device, self._layers = device, block_numbers(layers, _BLOCKS)
        try:
            channels = [len(weights[f"conv_block{n}.conv1.weight"]) for n in range(1, _BLOCKS + 1)]
            self._network = Cnn14(channels)
            # What follows the blocks, and the front end as weights, are not needed.
            own = {key: value for key, value in weights.items() if key.startswith(_PREFIXES)}
            self._network.load_state_dict(own)
        except (KeyError, RuntimeError) as error:
            raise ValueError(f"these are not the weights of a CNN14 ({error})") from error
        self._network = self._network.eval().to(device)
        self.width = sum(channels[n - 1] for n in self._layers)

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        """Return the rows of waveforms."""
        with torch.inference_mode():
            waveforms = torch.from_numpy(waveform_BT).to(self._device)
            return torch.cat(self._network(waveforms, self._layers), 2).cpu().numpy()


def block_numbers(layers: Sequence[int | str] | None, count: int) -> tuple[int, ...]:
    """Return the blocks that are asked for, the last one without a wish. Raises ValueError for others."""
    found = tuple(n for n in layers or (count,) if isinstance(n, int) and 1 <= n <= count)
    if layers is not None and len(found) != len(layers):
        raise ValueError(f"layers {list(layers)}: the encoder has blocks 1 to {count}")
    return found
