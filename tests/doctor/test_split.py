"""A split in which classes are heard in every part, where a seed gives one."""

from pathlib import Path

import pytest

from raysed.config.annotated_set import AnnotatedSet
from raysed.data.recorded.annotated import list_annotated
from raysed.doctor.split import covering_seed
from tests.data.recorded import forms

PARTS = ("train", "xvalid", "eval")


def own(root: Path, **fields) -> AnnotatedSet:
    return AnnotatedSet.model_validate(
        {"kind": "annotated", "audio": str(root), "type": "weak"} | fields
    )


def heard(data_set: AnnotatedSet) -> set[str]:
    return set().union(*(recording.classes for recording in list_annotated(data_set)))


def test_the_first_seed_that_lacks_nothing(tmp_path: Path) -> None:
    classes = ("cat", "dog", "rain")
    forms.esc_folders(tmp_path, clips=12, classes=classes, seconds=0.1)
    seed, lacking = covering_seed(own(tmp_path), PARTS)
    assert lacking == 0

    def missing(seed: int) -> int:
        parts = [heard(own(tmp_path, part=part, split_seed=seed)) for part in PARTS]
        return sum(len({*classes} - each) for each in parts)

    assert missing(seed) == 0 and all(missing(earlier) > 0 for earlier in range(seed))


def test_a_class_of_one_recording_is_missing_somewhere(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path, clips=30, classes=("dog", "rain"), seconds=0.1)
    forms.audio(tmp_path / "cat/only.wav", 0.1)
    strong = own(tmp_path, type="strong")
    assert covering_seed(strong, PARTS)[1] == covering_seed(own(tmp_path), PARTS)[1] == 2


def test_no_part_is_empty(tmp_path: Path) -> None:
    for n, label in enumerate(("cat", "dog", "rain")):
        forms.audio(tmp_path / label / f"{n}.wav", 0.1)
    seed, lacking = covering_seed(own(tmp_path), PARTS)
    assert lacking == 6
    assert all(len(list_annotated(own(tmp_path, part=p, split_seed=seed))) == 1 for p in PARTS)
    (tmp_path / "cat/0.wav").unlink()
    with pytest.raises(ValueError, match="2 recordings cannot be parted into train, xvalid, eval"):
        covering_seed(own(tmp_path), PARTS)
