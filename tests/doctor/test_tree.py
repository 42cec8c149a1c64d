"""Which parts of DESED lie in a folder, by its layout alone."""

from pathlib import Path

import pytest

from raysed.config.data_job import Roots
from raysed.doctor.tree import find_roots, splits_in, subsets_in


def make(root: Path, *places: str) -> None:
    for place in places:
        path = root / place
        if path.suffix:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        else:
            path.mkdir(parents=True)


@pytest.mark.parametrize(
    ("places", "found"),
    [
        (["dataset/metadata"], {"recorded": "dataset"}),
        (["dataset/audio/train"], {"recorded": "dataset"}),
        (["metadata"], {"recorded": "."}),
        (["train/weak.tsv"], {"recorded": "."}),
        (["synthetic/audio/eval/soundbank"], {"soundbank": "synthetic"}),
        (["soundbank/audio/train/soundbank"], {"soundbank": "soundbank"}),
        (["audio/validation/soundbank"], {"soundbank": "."}),
        (["rir_data/train", "rir/train"], {"rir": "rir_data"}),
        (["rir/eval"], {"rir": "rir"}),
        # The first layout that fits.
        (["dataset/metadata", "metadata"], {"recorded": "dataset"}),
    ],
)
def test_layouts(tmp_path: Path, places: list[str], found: dict[str, str]) -> None:
    make(tmp_path, *places)
    expected = {key: str(tmp_path / place) for key, place in found.items()}
    assert find_roots(tmp_path) == Roots(**expected)


@pytest.mark.parametrize("place", ["elsewhere", "rir_data", "dataset/audio"])
def test_a_folder_of_something_else(tmp_path: Path, place: str) -> None:
    make(tmp_path, place)
    with pytest.raises(ValueError, match=f"{tmp_path}: holds nothing of DESED: neither dataset/"):
        find_roots(tmp_path)


def test_subsets_are_those_with_annotations_or_audio(tmp_path: Path) -> None:
    assert subsets_in(Roots()) == []
    make(
        tmp_path,
        "metadata/train/weak.tsv",
        "audio/eval/public",
        "audio/train/synthetic20_train/soundscapes",
        "metadata/validation/synthetic20_validation/soundscapes.tsv",
        "audio/train/unknown",
    )
    found = [(s.subset, s.folder) for s in subsets_in(Roots(recorded=str(tmp_path)))]
    assert found == [
        ("weak", None),
        ("eval", None),
        ("synthetic", "synthetic20_train"),
        ("synthetic", "synthetic20_validation"),
    ]


def test_x_valid_needs_no_folder_and_eval_does(tmp_path: Path) -> None:
    assert splits_in(Roots()) == []
    make(tmp_path, "audio/train/soundbank")
    roots = Roots(soundbank=str(tmp_path))
    assert splits_in(roots) == ["train", "xvalid"]
    make(tmp_path, "audio/eval/soundbank")
    assert splits_in(roots) == ["train", "xvalid", "eval"]
