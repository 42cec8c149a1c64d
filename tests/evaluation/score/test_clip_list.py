"""Lists of clips and of their sources: every form, and what is refused with file and line."""

from pathlib import Path

import numpy as np
import pytest

from raysed.evaluation.score.clip_list import read_clip_list, read_groups

CLIPS = ("a.wav", "b.wav", "day/c.wav")


def listed(path: Path, text: str = "") -> list[bool]:
    if text:
        path.write_text(text)
    return read_clip_list(path, CLIPS)[0].tolist()


def test_a_table_names_clips(tmp_path: Path) -> None:
    table = tmp_path / "left.tsv"
    assert listed(table, "filename\tduration\na.wav\t10\nday/c.wav\t10\n") == [True, False, True]
    kept_N, said = read_clip_list(table, CLIPS)
    assert said == () and kept_N.dtype == bool
    assert listed(table, "filename\nb.flac\nb.flac\n") == [False, True, False]
    assert "called otherwise" in read_clip_list(table, CLIPS)[1][0]


def test_a_folder_of_recordings_or_of_scores_names_clips(tmp_path: Path) -> None:
    for name in (
        "audio/a.flac",
        "audio/day/c.flac",
        "audio/x.flac",
        "audio/.b.wav",
        "audio/notes.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    kept_N, said = read_clip_list(tmp_path / "audio", CLIPS)
    assert kept_N.tolist() == [True, False, True]
    assert said == (f"{tmp_path / 'audio'}: 1 files are of no clip of the set",)
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "b.tsv").touch()
    assert listed(tmp_path / "scores") == [False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "filename\na.wav\nx.wav\ny.wav\n",
            r"left.tsv, line 3: clip x.wav is not one of the 3 clips",
        ),
        ("clip\na.wav\n", r"left.tsv, line 1: expected the tab-separated columns filename"),
        ("filename\n", r"left.tsv: names no clip of the set, such as a.wav; expected a TSV"),
    ],
)
def test_lists_are_refused_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        listed(tmp_path / "left.tsv", text)


def test_a_folder_without_any_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names no clip of the set"):
        listed(tmp_path)


def test_groups_of_clips(tmp_path: Path) -> None:
    table = tmp_path / "groups.tsv"
    table.write_text("filename\tgroup\nb.wav\tx\nother.wav\tz\nc.wav\ty\na.wav\tx\n")
    np.testing.assert_array_equal(read_groups(table, CLIPS), [0, 0, 1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a.wav\tx\nb.wav\tx\n", "no group for clip day/c.wav .1 such clips of 3.; give each"),
        ("a.wav\tx\na.wav\ty\n", "line 3: clip a.wav is of group y, and of x before"),
        ("a.wav\tx\nb.wav\t\n", "line 3: clip b.wav has no group"),
    ],
)
def test_groups_are_refused_with_their_line(tmp_path: Path, rows: str, message: str) -> None:
    table = tmp_path / "groups.tsv"
    table.write_text(f"filename\tgroup\n{rows}")
    with pytest.raises(ValueError, match=f"groups.tsv.*{message}"):
        read_groups(table, CLIPS)
