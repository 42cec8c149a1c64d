"""Pictures and audio of a clip, decoded again."""

import base64
import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from raysed.config.data_job import Features
from raysed.page.media import MAX_WIDTH, PALETTE_SIZE, audio_clip, data_uri, mel_picture

FEATURES = Features(duration_s=10.0, n_mels=4, hop=160)


def content(uri: str, kind: str) -> bytes:
    head, _, coded = uri.partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(coded)


def shades(mel_TF: np.ndarray, frames: int) -> np.ndarray:
    """The palette indices of the picture: (F, width), low bands at the bottom."""
    image = Image.open(io.BytesIO(content(mel_picture(mel_TF, frames, FEATURES), "image/png")))
    assert image.mode == "P"
    return np.asarray(image)


def test_a_picture_by_hand() -> None:
    """0, just above -40 and -80 dB of a floor of 80 dB: the last of the colours, the middle one, the first."""
    mel_TF = np.array([[1.0, 1.02e-2, 1e-4, 1e-9]] * 3)
    assert shades(mel_TF, 3).tolist() == [
        [0] * 3,
        [0] * 3,
        [PALETTE_SIZE // 2] * 3,
        [PALETTE_SIZE - 1] * 3,
    ]


def test_padding_is_not_shown() -> None:
    mel_TF = np.ones((10, 4))
    mel_TF[6:] = 1e6
    assert shades(mel_TF, 6).tolist() == [[PALETTE_SIZE - 1] * 6] * 4


@settings(max_examples=20)
@given(frames=st.integers(1, 1001))
def test_long_clips_are_averaged_down(frames: int) -> None:
    mel_TF = np.full((1001, 4), 1.0)
    mel_TF[: frames // 2, 0] = 1.02e-2
    index_FW = shades(mel_TF, frames)
    step = -(-frames // MAX_WIDTH)
    assert index_FW.shape == (4, -(-frames // step)) and index_FW.shape[1] <= MAX_WIDTH
    assert (np.diff(index_FW[3].astype(int)) >= 0).all() and index_FW[3, -1] == PALETTE_SIZE - 1
    assert (index_FW[3] == PALETTE_SIZE // 2).sum() == frames // 2 // step


def test_audio_is_heard_again() -> None:
    time_T = np.arange(16000) / 16000
    tone_T = 0.5 * np.sin(2 * np.pi * 440 * time_T)
    uri = audio_clip(tone_T, 16000)
    assert uri is not None
    heard_T, rate_hz = soundfile.read(io.BytesIO(content(uri, "audio/ogg")))
    assert (rate_hz, heard_T.shape) == (16000, (16000,))
    assert np.abs(heard_T - tone_T).max() < 0.05


@pytest.mark.parametrize("peak", [0.5, 4.0])
def test_audio_beyond_full_scale_is_turned_down_and_other_left_alone(peak: float) -> None:
    tone_T = peak * np.sin(2 * np.pi * 440 * np.arange(8000) / 16000)
    uri = audio_clip(tone_T, 16000)
    assert uri is not None
    heard_T, _ = soundfile.read(io.BytesIO(content(uri, "audio/ogg")))
    assert np.abs(heard_T).max() == pytest.approx(min(peak, 1.0), abs=0.05)


def test_audio_that_would_fill_the_page_is_left_out() -> None:
    noise_T = np.random.default_rng(0).uniform(-0.5, 0.5, 40 * 16000)
    assert audio_clip(noise_T[:16000], 16000) is not None
    assert audio_clip(noise_T, 16000) is None
    assert audio_clip(np.zeros(0), 16000) is not None


def test_uris_hold_any_bytes() -> None:
    assert content(data_uri(bytes(range(256)), "image/png"), "image/png") == bytes(range(256))
