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


def test_no_recording_is_taken_for_two_sets(tmp_path: Path) -> None:
    """Unlabelled or weakly labelled copies of the recordings that judge a training would be trained on."""
    for n in range(4):
        forms.audio(tmp_path / f"rec/{n}.wav", 0.2)
    events = "".join(f"{n}.wav\t0\t.1\tDog\n" for n in range(4))
    head = "filename\tonset\toffset\tevent_label\n"
    forms.text(tmp_path / "all.tsv", head + events)
    forms.text(tmp_path / "classes.tsv", "filename\tlabels\n0.wav\tDog\n1.wav\tDog\n")
    forms.text(tmp_path / "rec/durations.tsv", "filename\tduration\n0.wav\t.2\n1.wav\t.2\n")
    assert told(tmp_path) == {"all": ("strong", "rec", 4)}
    assert look_at(tmp_path).notes == [
        "classes.tsv: left out (2 of its 2 recordings are those of all.tsv)",
        "rec/durations.tsv: left out (2 of its 2 recordings are those of all.tsv)",
    ]
    # A split that someone made says more than the whole.
    forms.text(tmp_path / "my_test.tsv", head + events.partition("1.wav")[0])
    assert told(tmp_path) == {"my_test": ("strong", "rec", 1)}


def test_a_list_of_files_elsewhere_is_no_manifest(tmp_path: Path) -> None:
    forms.audio(tmp_path / "rec/0.wav", 0.2)
    forms.text(tmp_path / "durations.tsv", "filename\tduration\n0.wav\t.2\n")
    assert told(tmp_path) == {"rec": ("none", "rec", 1)}
    forms.text(tmp_path / "list.tsv", "filename\nrec/0.wav\n")
    assert told(tmp_path) == {"list": ("none", "list.tsv", 1)}


def test_names_and_labels_that_no_job_could_hold_are_named(tmp_path: Path) -> None:
    for name in ("0", "1"):
        forms.audio(tmp_path / f"rec/{name}.wav", 0.2)
    forms.text(tmp_path / "rec/0.txt", "0\t.1\tDog\x07bark\n")
    with pytest.raises(ValueError, match=r"Dog.x07bark' holds a tab, a line break or a control"):
        look_at(tmp_path)
    (tmp_path / "rec/1.wav").rename(tmp_path / "rec/caf\udce9.wav")
    with pytest.raises(ValueError, match=r"rec/caf.udce9.wav' is not UTF-8 text; rename"):
        look_at(tmp_path)


def test_classes_that_differ_in_case_only_are_said(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path, classes=("Dog", "dog", "rain"))
    assert look_at(tmp_path).notes == [
        "classes that differ in case only: Dog, dog; `map` makes them one"
    ]
