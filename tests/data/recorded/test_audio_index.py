"""Names of clips in annotations, and the audio files that they mean."""

import os
from pathlib import Path

import pytest

from raysed.data.recorded.audio_index import AudioIndex, describe_unlisted


def index(root: Path, *files: str) -> AudioIndex:
    folders = dict.fromkeys(Path(file).parent.as_posix() for file in files)
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return AudioIndex(root, folders)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("c.wav", "c.wav"),
        ("c.wav", "c.WAV"),  # another case of the suffix
        ("c.WAV", "c.wav"),
        ("c.wav", "c.flac"),  # another format that is read
        ("c.wav", "c.Flac"),
        ("c", "c.wav"),  # no suffix
        ("weak/c.wav", "c.wav"),  # a folder before the name
        ("audio/train/weak/c.wav", "c.WAV"),
        ("Y1_30.000_40.000", "Y1_30.000_40.000.wav"),  # dots and no suffix
        ("Y1_30.000_40.000.wav", "Y1_30.000_40.000.wav"),
        ("Y1_30.000_40.000", "Y1_30.000_40.000.WAV"),
        ("./c.wav", "c.wav"),
    ],
)
def test_a_name_finds_the_file_that_it_means(tmp_path: Path, name: str, file: str) -> None:
    found = index(tmp_path, f"audio/{file}", "audio/other.wav").find([name, "other.wav"])
    assert found == {name: f"audio/{file}", "other.wav": "audio/other.wav"}


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["c.wav"], ["d.wav"]),
        (["c.wav"], ["C.wav"]),  # another name: clips of YouTube differ in case only
        (["c.wav"], ["c.WAV", "c.Wav"]),  # two files
        (["day1/take.wav", "day2/take.wav"], ["take.wav"]),  # two names
        (["Y1_30.000_40.000"], ["Y1_30.000_50.000.wav"]),
        (["c.wav"], ["c.m4a"]),
    ],
)
def test_what_is_ambiguous_or_another_clip_is_not_taken(
    tmp_path: Path, names: list[str], files: list[str]
) -> None:
    audio = index(tmp_path, *(f"audio/{file}" for file in files))
    assert audio.find(names) == {}
    read = [f"audio/{file}" for file in files if not file.endswith("m4a")]
    assert audio.unlisted({}) == sorted(read)


def test_the_very_name_goes_before_what_it_may_mean(tmp_path: Path) -> None:
    audio = index(tmp_path, "audio/c.WAV", "audio/c.wav", "audio_16k/c.wav", "audio_16k/d.WAV")
    assert audio.find(["c.wav", "c.WAV"]) == {"c.wav": "audio/c.wav", "c.WAV": "audio/c.WAV"}
    found = audio.find(["d.wav", "c.wav"])
    assert list(found.items()) == [("d.wav", "audio_16k/d.WAV"), ("c.wav", "audio/c.wav")]
    # The copy at another rate is not unlisted, and `c.WAV` is the same clip.
    assert audio.unlisted(found) == []


def test_a_name_in_a_folder_of_its_own(tmp_path: Path) -> None:
    audio = index(tmp_path, "audio/a.wav", "audio/day1/take.wav", "audio/day2/take.wav")
    audio = AudioIndex(tmp_path, ["audio"])
    names = ["day1/take.wav", "day2/take.flac", "day3/take.wav"]
    assert audio.find(names) == {
        "day1/take.wav": "audio/day1/take.wav",
        "day2/take.flac": "audio/day2/take.wav",
    }


def test_hidden_files_pipes_and_folders_are_no_clips(tmp_path: Path) -> None:
    audio = index(tmp_path, "audio/._a.wav", "audio/b.wav")
    os.mkfifo(tmp_path / "audio/pipe.wav")
    (tmp_path / "audio/folder.wav").mkdir()
    (tmp_path / "audio/gone.wav").symlink_to(tmp_path / "nowhere.wav")
    audio = AudioIndex(tmp_path, ["audio"])
    names = ["._a.wav", "pipe.wav", "folder.wav", "gone.wav"]
    assert audio.find(names) == {} and audio.unlisted({}) == ["audio/b.wav"]


def test_unlisted_files_in_words() -> None:
    assert describe_unlisted([], "weak.tsv") == ""
    assert describe_unlisted(["a.wav"], "w.tsv") == "1 audio file that no row of w.tsv lists: a.wav"
    many = [f"{n}.wav" for n in range(8)]
    assert describe_unlisted(many, "w.tsv").endswith(
        "lists: 0.wav, 1.wav, 2.wav, 3.wav, 4.wav … and 3 more"
    )
