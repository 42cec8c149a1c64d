"""Which clip a name means, as writer and reader of files about clips agree on it."""

import pytest

from raysed.storage.clip_name import clip_name, match_clips


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("take.wav", "take"),
        ("take.WAV", "take"),
        ("./take.Flac", "take"),
        ("day1/take.wav", "day1/take"),
        ("take.one.mp3", "take.one"),
        ("Y1_30.000_40.000", "Y1_30.000_40.000"),
        ("Y1_30.000_40.000.wav", "Y1_30.000_40.000"),
        ("take", "take"),
        (".wav", ".wav"),
        ("take.v2", "take.v2"),
    ],
)
def test_the_audio_suffix_alone_is_taken_off(path: str, name: str) -> None:
    assert clip_name(path) == name
    assert clip_name(name) == name


@pytest.mark.parametrize(
    ("given", "clips", "expected"),
    [
        (["a.wav"], ["a.wav", "b.wav"], {"a.wav": "a.wav"}),
        (["a.WAV", "b"], ["a.wav", "b.wav"], {"a.WAV": "a.wav", "b": "b.wav"}),
        (["audio/a.wav"], ["a.wav"], {"audio/a.wav": "a.wav"}),
        (["a"], ["audio/eval/a.wav"], {"a": "audio/eval/a.wav"}),
        # One stem in two folders is two clips.
        (["day1/a", "day2/a"], ["day1/a.wav", "day2/a.wav"],
         {"day1/a": "day1/a.wav", "day2/a": "day2/a.wav"}),
        (["a"], ["day1/a.wav", "day2/a.wav"], {}),
        (["day1/a", "day2/a"], ["a.wav"], {}),
        (["day2/a"], ["day1/a.wav"], {}),
        (["xa"], ["a.wav"], {}),
        # Spelling decides where it can.
        (["a.wav", "a.WAV"], ["a.wav"], {"a.wav": "a.wav"}),
        (["a.wav", "a.flac"], ["a.wav", "a.flac"], {"a.wav": "a.wav", "a.flac": "a.flac"}),
        (["a"], ["a.wav", "a.flac"], {}),
        (["a"], ["a", "a.wav"], {"a": "a"}),
        # An accent is part of its letter or a sign of its own.
        (["cafe\u0301.wav"], ["caf\u00e9.wav"], {"cafe\u0301.wav": "caf\u00e9.wav"}),
        (["caf\u00e9"], ["day1/cafe\u0301.wav"], {"caf\u00e9": "day1/cafe\u0301.wav"}),
        (["caf\u00e9"], ["cafe\u0301.wav", "caf\u00e9.flac"], {}),
        (["Y1_30.000_40.000"], ["Y1_30.000_40.000.wav"],
         {"Y1_30.000_40.000": "Y1_30.000_40.000.wav"}),
    ],
)  # fmt: skip
def test_a_name_means_one_clip_or_none(
    given: list[str], clips: list[str], expected: dict[str, str]
) -> None:
    assert match_clips(given, clips) == expected
