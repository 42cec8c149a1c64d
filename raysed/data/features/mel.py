"""The definition of the features: linear-amplitude mel bands of a waveform, and their decibels.

The amplitude is stored, since the teacher's noise is added to it before the logarithm. The CPU implementation
takes the FFT of 32 frames at a time, which stay in the cache: 3.2 times librosa's speed as published
(benchmarks/results/mel.json).
"""

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from raysed.config.data_job import Features

if TYPE_CHECKING:
    # Imported where it is used: loading it costs a DALI worker 4 s and 400 MB.
    import torch

CHUNK_FRAMES = 32
AMPLITUDE_FLOOR = 1e-5
# Low bands read few bins: three products over the bins in use cost a third of one over all.
BAND_GROUPS = (0.5, 0.75, 1.0)


def prepared(waveform_T: np.ndarray, features: Features) -> np.ndarray:
    """Return the samples that the kept frames see, float32, with silence appended when `features.pad` is
    "waveform".

    Raises ValueError for anything but a non-empty, finite, mono waveform.
    """
    if waveform_T.ndim != 1 or len(waveform_T) == 0:
        raise ValueError(f"expected a mono waveform with samples, got shape {waveform_T.shape}")
    waveform_T = waveform_T[: features.n_samples_seen].astype(np.float32, copy=False)
    if not np.isfinite(waveform_T).all():
        raise ValueError(
            f"the waveform holds {np.sum(~np.isfinite(waveform_T))} NaN or infinite samples"
        )
    if features.pad == "waveform" and len(waveform_T) < features.n_samples:
        waveform_T = np.pad(waveform_T, (0, features.n_samples - len(waveform_T)))
    return waveform_T


def frame_count(n_samples: int, features: Features) -> int:
    """Return the number of frames of a prepared waveform of `n_samples`, at most that of a full-length clip."""
    return min(n_samples // features.hop + 1, features.n_frames)


def mel_amplitude(waveform_T: np.ndarray, features: Features) -> np.ndarray:
    """Return the mel bands of the STFT's amplitude, mel_TF float32: this clip's own frames, not padded.

    The window is a symmetric Hamming, frames are centred and the edges reflected. A clip shorter
    than half a window is reflected again and again, one sample repeats itself (numpy.pad's and
    DALI's rule).
    """
    waveform_T = prepared(waveform_T, features)
    n_frames = frame_count(len(waveform_T), features)
    padded_T = np.pad(waveform_T, features.n_fft // 2, mode="reflect")
    frames_TN = np.lib.stride_tricks.sliding_window_view(padded_T, features.n_fft)[:: features.hop][
        :n_frames
    ]
    window_N, groups = _front_end(features)
    mel_TF = np.empty((n_frames, features.n_mels), np.float32)
    for start in range(0, n_frames, CHUNK_FRAMES):
        chunk = slice(start, start + CHUNK_FRAMES)
        amplitude_TB = np.abs(scipy.fft.rfft(frames_TN[chunk] * window_N, axis=1))
        for bands, bins, weights_BF in groups:
            mel_TF[chunk, bands] = amplitude_TB[:, bins] @ weights_BF
    return mel_TF


def mel_amplitude_torch(
    waveform_BT: "torch.Tensor", samples_B: "torch.Tensor", features: Features
) -> "torch.Tensor":
    """Return `mel_amplitude` of a batch on its device, in its precision: mel_BTF, zero past each clip's
    frames.

    `waveform_BT` holds prepared waveforms, padded with zeros to (B, `features.n_samples_seen`);
    `samples_B` counts each clip's own samples. 24 clips of 10 s take 0.25 s on one core.
    """
    import torch

    window_N, filters_BF = _front_end_torch(features, waveform_BT.device, waveform_BT.dtype)
    needed = (features.n_frames - 1) * features.hop + features.n_fft
    padded_BT = _reflected(waveform_BT, samples_B, features.n_fft // 2)[:, :needed]
    # A clip at a time stays in a CPU's cache and takes half the time; a GPU wants them all.
    at_once = 1 if waveform_BT.device.type == "cpu" else len(waveform_BT)
    mels = []
    for part_BT in padded_BT.split(at_once):
        spectrum = torch.stft(
            part_BT,
            features.n_fft,
            features.hop,
            window=window_N,
            center=False,
            return_complex=True,
        )
        mels.append(spectrum.abs().transpose(1, 2) @ filters_BF)
    mel_BTF = torch.cat(mels)
    frames_B = (samples_B // features.hop + 1).clamp_max(features.n_frames)
    past_BT = torch.arange(features.n_frames, device=mel_BTF.device) >= frames_B[:, None]
    return mel_BTF.masked_fill_(past_BT[:, :, None], 0.0)


def mel_filters(features: Features) -> np.ndarray:
    """Return triangular filters (n_fft // 2 + 1, n_mels) float32 on the Slaney scale, of height one."""
    import torchaudio

    filters_BF = torchaudio.functional.melscale_fbanks(
        n_freqs=features.n_fft // 2 + 1,
        f_min=features.low_hz,
        f_max=features.high_hz,
        n_mels=features.n_mels,
        sample_rate=features.sample_rate_hz,
        norm=None,
        mel_scale="slaney",
    )
    return filters_BF.numpy()


def log_mel_db(mel_TF: np.ndarray, features: Features) -> np.ndarray:
    """Return the decibels (features.n_frames, F) of one clip's own frames, padded with 0.0 dB after the log.

    They are floored at `features.floor_db` under the clip's maximum.
    """
    db_TF = 20 * np.log10(np.maximum(mel_TF, AMPLITUDE_FLOOR))
    db_TF = np.maximum(db_TF, db_TF.max() - features.floor_db)
    return np.pad(db_TF, ((0, features.n_frames - len(db_TF)), (0, 0)))


def log_mel_db_torch(
    mel_BTF: "torch.Tensor", frames_B: "torch.Tensor", floor_db: float
) -> "torch.Tensor":
    """Return `log_mel_db` of a zero-padded batch on its device, in its precision (half becomes float32).

    `frames_B` counts each clip's own frames: the maximum is taken over these, the rest becomes 0.0
    dB.
    """
    import torch

    if mel_BTF.dtype in (torch.float16, torch.bfloat16):
        mel_BTF = mel_BTF.float()
    # All is done in place after the first copy: on a CPU these passes over memory are the cost of the loader.
    db_BTF = mel_BTF.clamp_min(AMPLITUDE_FLOOR).log10_().mul_(20)
    # Padding is zero amplitude, the smallest value possible, so it is never the maximum.
    floor_B11 = db_BTF.amax(dim=(1, 2), keepdim=True) - floor_db
    torch.maximum(db_BTF, floor_B11, out=db_BTF)
    past_BT = torch.arange(mel_BTF.shape[1], device=mel_BTF.device) >= frames_B[:, None]
    return db_BTF.masked_fill_(past_BT[:, :, None], 0.0)


def _reflected(waveform_BT: "torch.Tensor", samples_B: "torch.Tensor", half: int) -> "torch.Tensor":
    """Return each clip with `half` samples reflected at its own two edges, as numpy.pad does: (B, T + 2
    half).
    """
    import torch

    steps = torch.arange(half, device=waveform_BT.device)
    before_BE = (steps - half).expand(len(waveform_BT), -1)
    edges_BE = torch.cat([before_BE, samples_B[:, None] + steps], dim=1)
    # A reflection repeats after 2 (n - 1) samples; a single sample repeats itself.
    period_B1 = 2 * (samples_B[:, None] - 1)
    folded_BE = edges_BE.remainder(period_B1.clamp_min(1))
    values_BE = waveform_BT.gather(1, torch.minimum(folded_BE, period_B1 - folded_BE))
    padded_BT = torch.nn.functional.pad(waveform_BT, (half, half))
    return padded_BT.scatter_(1, edges_BE + half, values_BE)


@lru_cache(maxsize=8)
def _front_end_torch(
    features: Features, device: "torch.device", dtype: "torch.dtype"
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Return the window and the filters (n_fft // 2 + 1, F) on a device."""
    import torch

    window_N = torch.from_numpy(np.hamming(features.n_fft)).to(device, dtype)
    return window_N, torch.from_numpy(mel_filters(features)).to(device, dtype)


@lru_cache(maxsize=8)
def _front_end(features: Features) -> tuple[np.ndarray, list[tuple[slice, slice, np.ndarray]]]:
    """Return the window, and groups of mel bands with the FFT bins that they read and their weights."""
    filters_BF = mel_filters(features)
    edges = sorted({0, *(round(share * features.n_mels) for share in BAND_GROUPS)})
    groups = []
    for low, high in pairwise(edges):
        used = np.flatnonzero(filters_BF[:, low:high].any(axis=1))
        bins = slice(used[0], used[-1] + 1) if len(used) else slice(0, 0)
        groups.append((slice(low, high), bins, np.ascontiguousarray(filters_BF[bins, low:high])))
    return np.hamming(features.n_fft).astype(np.float32), groups
