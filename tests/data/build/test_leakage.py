"""Sources in two splits: by YouTube id, by what a soundbank file was cut from, by content."""

from pathlib import Path

import pytest

from raysed.data.build.leakage import (
    copied_files,
    describe_leaks,
    excerpt_of,
    shared_recordings,
    shared_sources,
)
from raysed.data.recorded.tsv import read_strong, read_unlabelled, read_weak
from tests.paths import SHARED

METADATA = SHARED / "data" / "desed_metadata"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("YWP8aI1IXNCQ_0.000_5.000.wav", ("WP8aI1IXNCQ", 0.0, 5.0)),
        ("WP8aI1IXNCQ_0_5.wav", ("WP8aI1IXNCQ", 0.0, 5.0)),
        # An id may begin with Y, and hold underscores and dashes.
        ("Yabcdefghij_10_20.wav", ("Yabcdefghij", 10.0, 20.0)),
        ("YYabcdefghij_10.000_20.000.wav", ("Yabcdefghij", 10.0, 20.0)),
        ("Y_-_1_2_3_4__30.000_40.000.wav", ("_-_1_2_3_4_", 30.0, 40.0)),
        ("Ymdu0000_0.000_10.000.ogg", ("mdu0000", 0.0, 10.0)),
        ("kitchen.wav", ("kitchen", None, None)),
    ],
)
def test_what_a_name_tells(name: str, expected: tuple) -> None:
    assert excerpt_of(name) == expected


def test_recordings_and_excerpts_in_two_splits() -> None:
    leaks = shared_recordings(
        {
            "weak": ["Yaaaaaaaaaaa_0.000_10.000.wav", "Ybbbbbbbbbbb_0.000_10.000.wav"],
            "unlabelled": ["Yccccccccccc_0.000_10.000.wav"],
            "eval": ["aaaaaaaaaaa_30_40.wav", "bbbbbbbbbbb_0_10.wav", "ddddddddddd_0_10.wav"],
        }
    )
    assert [(leak.kind, leak.splits, leak.source) for leak in leaks] == [
        ("recording", ("weak", "eval"), "aaaaaaaaaaa"),
        ("recording", ("weak", "eval"), "bbbbbbbbbbb"),
        ("excerpt", ("weak", "eval"), "bbbbbbbbbbb"),
    ]
    lines = describe_leaks(leaks)
    assert lines[0].startswith("weak and eval hold clips of the same recording: 2 (Yaaa")
    assert "Ybbbbbbbbbbb_0.000_10.000.wav = bbbbbbbbbbb_0_10.wav" in lines[1] and len(lines) == 2


def test_two_clips_of_one_recording_in_one_split_are_no_leak() -> None:
    names = ["Yaaaaaaaaaaa_0.000_10.000.wav", "Yaaaaaaaaaaa_10.000_20.000.wav"]
    assert shared_recordings({"weak": names, "eval": ["bbbbbbbbbbb_0_10.wav"]}) == []


def test_cuts_of_one_soundbank_source() -> None:
    leaks = shared_sources(
        {
            "train": ["/b/Dog/7_0.wav", "/b/Dog/8_0.wav", "/b/rain/rain_000.wav"],
            "xvalid": ["/b/Cat/7_1.wav", "/b/rain/rain_000.wav"],
        }
    )
    # `rain_000` only numbers the files of its folder.
    assert [(leak.source, leak.files) for leak in leaks] == [("7", ("7_0.wav", "7_1.wav"))]


def test_the_same_file_under_two_names(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b"two"), ("c", b"one"), ("d", b"three"), ("e", b"")):
        (tmp_path / name).write_bytes(content)
    paths = {name: str(tmp_path / name) for name in "abcde"}
    leaks = copied_files(
        {
            "train": [paths["a"], paths["b"], paths["e"]],
            "eval": [paths["c"], paths["d"], paths["e"]],
        }
    )
    assert [(leak.kind, leak.files) for leak in leaks] == [("copy", ("a", "c"))]


@pytest.mark.skipif(not METADATA.is_dir(), reason="no real metadata here")
def test_the_six_cases_of_real_desed() -> None:
    leaks = shared_recordings(
        {
            "weak": read_weak(METADATA / "train/weak.tsv", None),
            "unlabelled": read_unlabelled(METADATA / "train/unlabel_in_domain.tsv"),
            "validation": read_strong(METADATA / "validation/validation.tsv", None),
            "eval": read_strong(METADATA / "eval/public.tsv", None),
        }
    )
    assert sorted((leak.kind, leak.splits[0], leak.source) for leak in leaks) == [
        ("excerpt", "unlabelled", "WP8aI1IXNCQ"),
        ("recording", "unlabelled", "W7GdMZgJy64"),
        ("recording", "unlabelled", "WP8aI1IXNCQ"),
        ("recording", "unlabelled", "aBA1eEsIktM"),
        ("recording", "validation", "L3SIlxdLGxI"),
        ("recording", "weak", "AaeemnJDijQ"),
    ]
    assert {leak.splits[1] for leak in leaks} == {"eval"}
