"""What a folder of one's own is taken for."""

from pathlib import Path

import pytest

from raysed.doctor.guess import look_at
from tests.data.recorded import forms


def told(root: Path) -> dict[str, tuple]:
    return {s.name: (s.type, Path(s.audio).name, s.clips) for s in look_at(root).sets}


def test_tables_and_folders_as_people_keep_them(tmp_path: Path) -> None:
    for folder, seconds in (("rec", 3.0), ("weakly", 1.2), ("rest", 1.0)):
        for n in range(3):
            forms.audio(tmp_path / folder / f"{folder}{n}.wav", seconds, seed=n)
    events = "".join(f"rec{n}.wav\t0.1\t0.5\tDog\n" for n in range(3))
    forms.text(tmp_path / "events.tsv", f"filename\tonset\toffset\tevent_label\n{events}")
    forms.text(
        tmp_path / "tags.csv", "file,labels\nweakly0.wav,Cat\nweakly1.wav,\nweakly2.wav,Dog\n"
    )
    forms.text(tmp_path / "notes.csv", "when,what\n1,2\n")
    found = look_at(tmp_path)
    assert told(tmp_path) == {
        "events": ("strong", "rec", 3), "tags": ("weak", "weakly", 3), "rest": ("none", "rest", 3)
    }  # fmt: skip
    assert found.classes == ["Cat", "Dog"]
    assert found.longest_s == {"events": 3.0, "tags": 1.2, "rest": 1.0}
    assert found.notes[0].startswith(
        "notes.csv: not taken for labels (notes.csv: has no column with file names"
    )


def test_class_folders(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path)
    assert told(tmp_path) == {"clips": ("weak", tmp_path.name, 8)}
    assert look_at(tmp_path).classes == ["dog", "rain"]


def test_folders_of_splits_are_no_classes(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path, classes=("train", "test"))
    assert {kind for kind, *_ in told(tmp_path).values()} == {"none"}


def test_a_label_file_for_each_recording(tmp_path: Path) -> None:
    forms.maestro_real(tmp_path / "m")
    forms.urban_sed(tmp_path / "u")
    assert told(tmp_path / "m") == {"cafe_restaurant": ("soft", "cafe_restaurant", 1)}
    assert told(tmp_path / "u") == {"train": ("strong", "train", 1)}


def test_a_folder_without_audio_is_refused(tmp_path: Path) -> None:
    forms.text(tmp_path / "a.txt", "0 1 Dog")
    with pytest.raises(ValueError, match="holds no audio file that can be read"):
        look_at(tmp_path)
