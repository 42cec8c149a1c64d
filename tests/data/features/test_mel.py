import json

import librosa
import numpy as np
import pytest
import torch
import torchaudio
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.data_job import Features
from raysed.data.features.mel import (
    log_mel_db,
    log_mel_db_torch,
    mel_amplitude,
    mel_amplitude_torch,
    mel_filters,
    prepared,
)
from raysed.data.features.mel_dali import DaliMel
from tests.golden import golden_inputs
from tests.paths import GOLDEN

FEATURES = Features()
SMALL = Features(duration_s=1.0, n_mels=32, hop=510)


def golden_clips() -> list[np.ndarray]:
    seed = json.loads((GOLDEN / "train_expected.json").read_text())["seed"]
    return [golden_inputs.clip(seed, index) for index in range(3)]


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, n_samples).astype(np.float32)


def assert_close_db(mel_TF: np.ndarray, expected_TF: np.ndarray) -> None:
    """The spec's tolerance: 1e-3 dB within 60 dB of the clip's maximum, 1e-2 dB below."""
    assert mel_TF.shape == expected_TF.shape
    ours, theirs = (20 * np.log10(np.maximum(m, 1e-5)) for m in (mel_TF, expected_TF))
    floor = theirs.max() - 80
    error = np.abs(np.maximum(ours, floor) - np.maximum(theirs, floor))
    near = theirs >= theirs.max() - 60
    assert error[near].max() <= 1e-3
    assert error.max() <= 1e-2


def librosa_mel(waveform_T: np.ndarray, features: Features) -> np.ndarray:
    spectrum = librosa.stft(
        waveform_T.astype(np.float64),
        n_fft=features.n_fft,
        hop_length=features.hop,
        window=np.hamming(features.n_fft),
        center=True,
        pad_mode="reflect",
    )
    mel = librosa.feature.melspectrogram(
        S=np.abs(spectrum),
        sr=features.sample_rate_hz,
        n_mels=features.n_mels,
        fmin=features.low_hz,
        fmax=features.high_hz,
        htk=False,
        norm=None,
    )
    return mel.T


@pytest.mark.parametrize("backend", ["cpu", "dali"])
def test_the_published_features(backend: str) -> None:
    golden = np.load(GOLDEN / "features.npz")
    clips = golden_clips()
    if backend == "dali":
        mels = DaliMel(FEATURES, device_id=None, batch=3)(clips)
    else:
        mels = [mel_amplitude(waveform_T, FEATURES) for waveform_T in clips]
    for index, mel_TF in enumerate(mels):
        assert_close_db(mel_TF, golden[f"clip{index}.mel_amplitude_TF"])
        expected = golden[f"clip{index}.log_mel_db_TF"]
        error = np.abs(log_mel_db(mel_TF, FEATURES) - expected)
        own = expected[: len(mel_TF)]
        assert error[: len(mel_TF)][own >= own.max() - 60].max() <= 1e-3
        assert error.max() <= 1e-2


@pytest.mark.parametrize(
    "features", [FEATURES, SMALL, Features(low_hz=50.0, high_hz=7000.0, n_fft=1024)]
)
def test_librosa_and_torchaudio_agree(features: Features) -> None:
    waveform_T = noise(features.n_samples)
    mel_TF = mel_amplitude(waveform_T, features)
    assert_close_db(mel_TF, librosa_mel(waveform_T, features))
    transform = torchaudio.transforms.MelSpectrogram(
        sample_rate=features.sample_rate_hz,
        n_fft=features.n_fft,
        hop_length=features.hop,
        f_min=features.low_hz,
        f_max=features.high_hz,
        n_mels=features.n_mels,
        window_fn=lambda n: torch.hamming_window(n, periodic=False),
        power=1.0,
        norm=None,
        mel_scale="slaney",
    )
    assert_close_db(mel_TF, transform(torch.from_numpy(waveform_T)).numpy().T)
    assert_close_db(DaliMel(features, device_id=None, batch=1)([waveform_T])[0], mel_TF)


def test_filters_are_librosas() -> None:
    theirs = librosa.filters.mel(
        sr=16000, n_fft=2048, n_mels=128, fmin=0, fmax=8000, htk=False, norm=None
    )
    np.testing.assert_allclose(mel_filters(FEATURES), theirs.T, atol=3e-5)


@given(n_samples=st.integers(1, 40_000), hop=st.integers(200, 600))
def test_frames_of_a_clip(n_samples: int, hop: int) -> None:
    features = Features(duration_s=1.0, n_mels=16, hop=hop)
    mel_TF = mel_amplitude(noise(n_samples), features)
    assert mel_TF.shape == (min(n_samples // hop + 1, 16000 // hop + 1), 16)
    assert np.isfinite(mel_TF).all()
    assert log_mel_db(mel_TF, features).shape == (16000 // hop + 1, 16)


def test_very_short_clips_repeat_their_reflection() -> None:
    waveform_T = np.array([0.1, 0.3, -0.2], np.float32)
    # 3 samples reflect to a period of 4: x0 x1 x2 x1 …; frame 0 starts 256 periods early.
    periodic_T = np.tile(np.array([0.1, 0.3, -0.2, 0.3], np.float32), 512)
    amplitude_B = np.abs(np.fft.rfft(periodic_T * np.hamming(2048)))
    expected_TF = (amplitude_B @ mel_filters(FEATURES))[None]
    loud = expected_TF > expected_TF.max() / 1000
    np.testing.assert_allclose(
        mel_amplitude(waveform_T, FEATURES)[loud], expected_TF[loud], rtol=1e-4
    )
    (by_dali_TF,) = DaliMel(FEATURES, device_id=None, batch=1)([waveform_T])
    np.testing.assert_allclose(by_dali_TF[loud], expected_TF[loud], rtol=1e-3)


def test_samples_after_the_last_frame_change_nothing() -> None:
    long_T = noise(40_000)
    expected_TF = librosa_mel(long_T, SMALL)[: SMALL.n_frames]
    assert_close_db(mel_amplitude(long_T, SMALL), expected_TF)
    assert_close_db(DaliMel(SMALL, device_id=None, batch=1)([long_T])[0], expected_TF)


def test_padding_before_or_after_the_log() -> None:
    waveform_T = noise(8000)
    after_TF = log_mel_db(mel_amplitude(waveform_T, SMALL), SMALL)
    own = 8000 // SMALL.hop + 1
    assert (after_TF[own:] == 0.0).all() and after_TF[:own].max() > 0.0
    padded = SMALL.model_copy(update={"pad": "waveform"})
    silent_T = np.concatenate([waveform_T, np.zeros(8000, np.float32)])
    np.testing.assert_array_equal(mel_amplitude(waveform_T, padded), mel_amplitude(silent_T, SMALL))
    before_TF = log_mel_db(mel_amplitude(waveform_T, padded), padded)
    assert before_TF[-1].max() == before_TF.max() - 80


def test_floor_is_80_db_under_the_clips_own_maximum() -> None:
    mel_TF = np.array([[1.0, 1e-3], [1e-4, 1e-9]], np.float32)
    features = Features(duration_s=510 / 16000, n_mels=2, hop=255)
    np.testing.assert_allclose(
        log_mel_db(mel_TF, features), [[0, -60], [-80, -80], [0, 0]], atol=1e-5
    )
    np.testing.assert_allclose(log_mel_db(mel_TF * 0, features)[:2], -100)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_batch_is_its_clips(dtype: torch.dtype) -> None:
    clips = [noise(16000), noise(16000) * 1e-3, noise(5000)]
    mels = [mel_amplitude(clip_T, SMALL) for clip_T in clips]
    batch = torch.stack(
        [torch.from_numpy(np.pad(m, ((0, SMALL.n_frames - len(m)), (0, 0)))) for m in mels]
    ).to(dtype)
    frames_B = torch.tensor([len(m) for m in mels])
    db_BTF = log_mel_db_torch(batch, frames_B, SMALL.floor_db)
    assert db_BTF.dtype == (torch.float32 if dtype == torch.float16 else dtype)
    for db_TF, mel_TF in zip(db_BTF, mels, strict=True):
        expected = log_mel_db(
            mel_TF.astype(np.float16) if dtype == torch.float16 else mel_TF, SMALL
        )
        np.testing.assert_allclose(
            db_TF.numpy(), expected, atol=5e-2 if dtype == torch.float16 else 1e-4
        )


@pytest.mark.parametrize(
    "features",
    [
        FEATURES,
        SMALL,
        SMALL.model_copy(update={"pad": "waveform"}),
        Features(duration_s=0.7, low_hz=50.0, high_hz=7000.0, n_fft=1024, n_mels=20),
    ],
)
def test_mels_on_the_training_device_are_those_of_the_shards(features: Features) -> None:
    """Clips too long, whole, short, shorter than half a window, and of a single sample."""
    full = features.n_samples
    clips = [noise(n, seed=n) for n in (full + 5000, full, full // 3, 700, 3, 1)]
    waveforms = [prepared(clip_T, features) for clip_T in clips]
    waveform_BT = torch.zeros(len(clips), features.n_samples_seen)
    for row, waveform_T in zip(waveform_BT, waveforms, strict=True):
        row[: len(waveform_T)] = torch.from_numpy(waveform_T)
    samples_B = torch.tensor([len(waveform_T) for waveform_T in waveforms])
    mel_BTF = mel_amplitude_torch(waveform_BT, samples_B, features).numpy()
    assert mel_BTF.shape == (len(clips), features.n_frames, features.n_mels)
    for mel_TF, clip_T in zip(mel_BTF, clips, strict=True):
        expected_TF = mel_amplitude(clip_T, features)
        # 1e-3 dB, down to float32's rounding (a quarter of its epsilon) of the loudest bin that there can be, be
        # it outside the bands; how FFTs round differs between processors.
        atol = np.finfo(np.float32).eps / 4 * features.n_fft * np.abs(clip_T).max()
        np.testing.assert_allclose(mel_TF[: len(expected_TF)], expected_TF, rtol=1e-4, atol=atol)
        assert not mel_TF[len(expected_TF) :].any()


def test_float16_storage_costs_4e_3_db() -> None:
    mel_TF = mel_amplitude(golden_clips()[0], FEATURES)
    stored = log_mel_db(mel_TF.astype(np.float16).astype(np.float32), FEATURES)
    assert np.abs(stored - log_mel_db(mel_TF, FEATURES)).max() < 5e-3


@pytest.mark.parametrize(
    ("waveform_T", "message"),
    [
        (np.zeros(0, np.float32), "with samples"),
        (np.zeros((2, 100), np.float32), r"\(2, 100\)"),
        (np.array([0.0, np.nan, np.inf], np.float32), "2 NaN"),
    ],
)
def test_refuses_what_is_no_waveform(waveform_T: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mel_amplitude(waveform_T, SMALL)
