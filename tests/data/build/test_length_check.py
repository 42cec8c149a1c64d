"""Lengths are looked at before work, of what is on disk and of what is not."""

from pathlib import Path

import pytest

from raysed.data.build.dataset_plan import plan
from raysed.data.build.length_check import has_clip_labels_only, refuse_lengths, seconds_of
from raysed.data.recorded.desed import RecordedEntry
from tests.data.banks import write_audio
from tests.data.recorded import forms
from tests.data.recorded_tree import weak_job, write_tree


def test_only_unfinished_shards_are_looked_at(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "dataset")
    write_audio(tree / "audio/train/weak/Y09_0.000_1.000.wav", 2.0)
    (p,) = plan(weak_job(tree, tmp_path / "out"))
    with pytest.raises(ValueError, match=r"1 recordings cannot be served:\n  audio/train/weak/Y09"):
        refuse_lengths([p], {"weak": list(p.shards)})
    refuse_lengths([p], {"weak": list(p.shards[:2])})


def test_labels_of_the_clip_alone() -> None:
    assert has_clip_labels_only(RecordedEntry("a", "a", None, ("Dog",)))
    assert not has_clip_labels_only(RecordedEntry("a", "a", None, None))
    assert not has_clip_labels_only(RecordedEntry("a", "a", (), ()))


def test_seconds_of_a_file_a_url_and_a_row(tmp_path: Path) -> None:
    forms.audio(tmp_path / "a.wav", 1.5)
    forms.hugging_face(tmp_path / "t.parquet", clips=2)
    for root, path, seconds in (
        (str(tmp_path), "a.wav", 1.5),
        (f"file://{tmp_path}", "a.wav", 1.5),
        (str(tmp_path), "t.parquet#1", 1.0),
    ):
        assert seconds_of(root, RecordedEntry("n", path, None, None)) == seconds
