"""The rows of a data set's clips: the waveforms of its features, at the encoder's rate."""

from collections.abc import Sequence

import numpy as np
import soxr

from raysed.config.data_job import Features
from raysed.data.encoders.frame_encoder import FrameEncoder, embed


def embed_clips(
    encoder: FrameEncoder, waveforms: Sequence[np.ndarray], features: Features
) -> list[np.ndarray]:
    """Return the rows (R, E) float32 of clips, R their own: those that begin before the clip ends."""
    return embed(encoder, [_resampled(each_T, encoder, features) for each_T in waveforms])


def _resampled(waveform_T: np.ndarray, encoder: FrameEncoder, features: Features) -> np.ndarray:
    """Return a clip's samples, at most those of a full-length one; soxr HQ is what reads recordings, too."""
    own_T = waveform_T[: features.n_samples].astype(np.float32, copy=False)
    if features.sample_rate_hz == encoder.sample_rate_hz:
        return own_T
    made_T = soxr.resample(own_T, features.sample_rate_hz, encoder.sample_rate_hz, "HQ")
    return made_T[: round(features.duration_s * encoder.sample_rate_hz)]
