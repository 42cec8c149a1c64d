"""The media of a clip on the page: its log-mel as a small PNG, its audio as Ogg Vorbis, both as data URIs."""

import base64
import io

import numpy as np
import soundfile
from matplotlib import colormaps
from PIL import Image

from raysed.config.data_job import Features
from raysed.data.features.mel import log_mel_db

PALETTE_SIZE = 32
MAX_WIDTH = 320
"""The most pixels of a log-mel; neighbouring frames are averaged down to it."""
MAX_AUDIO_BYTES = 120_000
"""Larger clips are left out: 10 s at 16 kHz take 30 to 70 kB."""


def mel_picture(mel_TF: np.ndarray, frames: int, features: Features) -> str:
    """Return the clip's own frames (not its padding) as a palette PNG, low bands at the bottom."""
    db_TF = log_mel_db(mel_TF[:frames].astype(np.float32), features)[:frames]
    step = -(-frames // MAX_WIDTH)
    whole = np.pad(db_TF, ((0, -frames % step), (0, 0)), mode="edge")
    db_WF = whole.reshape(-1, step, whole.shape[1]).mean(axis=1)
    share_WF = (db_WF - db_WF.max()) / features.floor_db + 1
    index_FW = np.clip(share_WF * PALETTE_SIZE, 0, PALETTE_SIZE - 1).astype(np.uint8).T[::-1]
    image = Image.fromarray(np.ascontiguousarray(index_FW), mode="P")
    shades = colormaps["magma"](np.linspace(0, 1, PALETTE_SIZE))[:, :3]
    image.putpalette((shades * 255).astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, bits=5)
    return data_uri(buffer.getvalue(), "image/png")


def audio_clip(waveform_T: np.ndarray, sample_rate_hz: int) -> str | None:
    """Return mono Ogg Vorbis, or None where that takes more than MAX_AUDIO_BYTES."""
    loudest = float(np.abs(waveform_T).max(initial=0.0))
    if loudest > 1:
        waveform_T = waveform_T / loudest
    buffer = io.BytesIO()
    soundfile.write(
        buffer, waveform_T.astype(np.float32), sample_rate_hz, format="OGG", subtype="VORBIS"
    )
    content = buffer.getvalue()
    return data_uri(content, "audio/ogg") if len(content) <= MAX_AUDIO_BYTES else None


def data_uri(content: bytes, kind: str) -> str:
    """Return the content as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
