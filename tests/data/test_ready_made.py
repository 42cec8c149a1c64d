"""Ready-made soundscapes (synthetic20, synthetic21): found in both layouts, used as a training set."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from raysed.config.data_job import RecordedSet
from raysed.config.fit import fits
from raysed.data.clip import Event
from raysed.data.recorded.desed import list_recorded
from tests.data.banks import write_audio

TSV = "filename\tonset\toffset\tevent_label\n0.wav\t0.5\t1.5\tDog\n0.wav\t1.0\t2.0\tCat\n1.wav\t0.0\t1.0\tDog\n"
SET = RecordedSet(kind="recorded", subset="synthetic", folder="synthetic20_train")


def write_tree(root: Path, audio: str, tsv: str) -> Path:
    folder = root / "audio" / audio
    for name in ("0", "1"):
        write_audio(folder / f"{name}.wav", 1.0)
        (folder / f"{name}.jams").write_text("{}")
        (folder / f"{name}.txt").write_text("0.5\t1.5\tDog_nOn\n")
        write_audio(folder / f"{name}_events" / "foreground0_Dog.wav", 1.0)
    path = root / "metadata" / tsv
    path.parent.mkdir(parents=True)
    path.write_text(TSV)
    return root


@pytest.mark.parametrize(
    ("audio", "tsv"),
    [
        ("train/synthetic20_train/soundscapes", "train/synthetic20_train/soundscapes.tsv"),
        ("train/synthetic20_train/soundscapes_16k", "train/synthetic20_train.tsv"),
        (
            "validation/synthetic20_train/soundscapes",
            "validation/synthetic20_train/soundscapes.tsv",
        ),
    ],
)
def test_layouts(tmp_path: Path, audio: str, tsv: str) -> None:
    listing = list_recorded(write_tree(tmp_path, audio, tsv), SET, ["Cat", "Dog"])
    assert listing.missing == ()
    assert [(e.filename, e.path, e.weak_labels) for e in listing.entries] == [
        ("0.wav", f"audio/{audio}/0.wav", ("Cat", "Dog")),
        ("1.wav", f"audio/{audio}/1.wav", ("Dog",)),
    ]
    assert listing.entries[0].events == (Event(0.5, 1.5, "Dog"), Event(1.0, 2.0, "Cat"))


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, "train/synthetic20_train/soundscapes", "train/synthetic20_train.tsv")
    other = SET.model_copy(update={"folder": "synthetic21_train"})
    with pytest.raises(ValueError, match=r"metadata/train/synthetic21_train/soundscapes\.tsv: no"):
        list_recorded(tmp_path, other)
    (tmp_path / "metadata/train/synthetic21_train.tsv").write_text(TSV)
    with pytest.raises(ValueError, match=r"no audio of the synthetic21_train subset"):
        list_recorded(tmp_path, other)


def test_they_fit_every_role_of_a_training() -> None:
    assert all(fits(SET, role) for role in ("synthetic", "strong", "weak", "unlabelled"))
    weak = RecordedSet(kind="recorded", subset="weak")
    assert not fits(weak, "synthetic")


def test_the_folder_belongs_to_the_subset() -> None:
    with pytest.raises(ValidationError, match="needs `folder`"):
        RecordedSet(kind="recorded", subset="synthetic")
    with pytest.raises(ValidationError, match="is for subset: synthetic, not weak"):
        RecordedSet(kind="recorded", subset="weak", folder="synthetic20_train")
    with pytest.raises(ValidationError, match="folder"):
        RecordedSet(kind="recorded", subset="synthetic", folder="../elsewhere")
