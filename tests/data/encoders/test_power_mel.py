import librosa
import numpy as np
import torch
import torchaudio

from raysed.data.encoders.power_mel import Bands, PowerMel
from tests.data.encoders.small import wave


def test_both_scales_are_those_of_their_packages():
    clip_BT = wave(16000, 0.4, 3)
    ours = PowerMel(16000, 1024, 160, Bands(64, 60.0, 7800.0, "htk"))
    theirs = torchaudio.transforms.MelSpectrogram(
        16000, 1024, hop_length=160, f_min=60, f_max=7800, n_mels=64
    )
    found_BTF, expected_BFT = ours(torch.from_numpy(clip_BT)), theirs(torch.from_numpy(clip_BT))
    torch.testing.assert_close(found_BTF, expected_BFT.transpose(1, 2))

    found_BTF = PowerMel(16000, 400, 160, Bands(80, 50.0, 8000.0))(torch.from_numpy(clip_BT))
    expected_BFT = librosa.feature.melspectrogram(
        y=clip_BT, sr=16000, n_fft=400, hop_length=160, n_mels=80, fmin=50, fmax=8000,
        pad_mode="reflect",
    )  # fmt: skip
    np.testing.assert_allclose(found_BTF, expected_BFT.transpose(0, 2, 1), rtol=1e-4, atol=1e-6)


def test_it_adds_nothing_to_a_networks_weights():
    assert not PowerMel(16000, 400, 160, Bands(8, 50.0, 8000.0)).state_dict()
