"""The mel spectrogram of power that several encoders hear, over Hann windows around every `hop`-th sample.

B waveforms, T samples, N samples of a window, Q frequencies, F bands.
"""

from typing import Literal, NamedTuple

import torch
import torchaudio
from torch import Tensor, nn


class Bands(NamedTuple):
    """The filters of a mel spectrogram."""

    count: int
    low_hz: float
    high_hz: float
    scale: Literal["slaney", "htk"] = "slaney"
    """`slaney` filters have one area each, as librosa's; `htk` ones one height, as torchaudio's."""


class PowerMel(nn.Module):
    """Power in bands; its window and filters are no part of a network's weights."""

    def __init__(self, rate_hz: int, fft: int, hop: int, bands: Bands) -> None:
        super().__init__()
        self._fft, self._hop = fft, hop
        self.register_buffer("window_N", torch.hann_window(fft), persistent=False)
        filters_QF = torchaudio.functional.melscale_fbanks(
            fft // 2 + 1,
            bands.low_hz,
            bands.high_hz,
            bands.count,
            rate_hz,
            norm="slaney" if bands.scale == "slaney" else None,
            mel_scale=bands.scale,
        )
        self.register_buffer("filters_QF", filters_QF, persistent=False)

    def forward(self, waveform_BT: Tensor) -> Tensor:
        """Return the power (B, T // hop + 1, F); both ends of a waveform are reflected."""
        spectrum_BQT = torch.stft(
            waveform_BT,
            self._fft,
            self._hop,
            window=self.get_buffer("window_N"),
            pad_mode="reflect",
            return_complex=True,
        )
        return spectrum_BQT.abs().square().transpose(1, 2) @ self.get_buffer("filters_QF")
