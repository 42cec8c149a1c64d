from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from raysed.data.encoders.speech_embedding import FRONT_END, NETWORK, SpeechEmbedding
from tests.data.encoders.small import openwakeword_folder, wave


def test_a_whole_clip_gives_the_values_of_window_after_window():
    """As openWakeWord's own code runs the two files: 76 frames at a time, 8 frames on."""
    folder, clip_1T = openwakeword_folder(), wave(16000, 2.0, 0)[:1]
    front_end, network = (
        onnxruntime.InferenceSession(str(Path(folder, name))) for name in (FRONT_END, NETWORK)
    )
    mel_TF = front_end.run(None, {"input": clip_1T * np.float32(32767)})[0].squeeze() / 10 + 2
    windows = [mel_TF[at : at + 76, :, None] for at in range(0, len(mel_TF) - 75, 8)]
    expected = network.run(None, {"input_1": np.stack(windows).astype(np.float32)})[0].squeeze()
    found = SpeechEmbedding(folder, None, "cpu")(clip_1T)[0]
    assert found.shape == expected.shape and found.shape[1] == 96
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_layers_are_refused():
    with pytest.raises(ValueError, match="its last one alone"):
        SpeechEmbedding(openwakeword_folder(), (3,), "cpu")
