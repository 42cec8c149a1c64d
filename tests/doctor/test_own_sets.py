"""The doctor reads the headers of annotated sets too, and names what cannot be served."""

from pathlib import Path

import yaml

from raysed.doctor.examine import examine
from tests.data.build.test_annotated_source import job_of
from tests.data.recorded import forms


def test_annotated_sets_are_examined(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=3, seconds=0.5)
    forms.audio(tmp_path / "esc/dog/long.wav", 3.0)
    forms.text(tmp_path / "esc/dog/bad.wav", "RIFF is not enough")
    job = job_of(tmp_path / "o", ("dog", "rain"), esc={"audio": f"{tmp_path}/esc", "type": "weak"})
    file = forms.text(tmp_path / "job.yaml", yaml.safe_dump(job.model_dump(mode="json")))
    found = examine(file)
    (check,) = found.subsets
    assert check.per_class == {"dog": 5, "rain": 3} and check.audio.files == 7
    problems = "\n".join(found.problems)
    assert "esc: 1 recordings cannot be served: dog/long.wav lasts 3.0 s" in problems
    assert "esc: 1 files cannot be read: bad.wav" in problems


def test_a_split_that_leaves_classes_without_events_is_said(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=20, classes=("dog", "rain"), seconds=0.3)
    forms.audio(tmp_path / "esc/cat/0.wav", 0.3)
    parts = {
        part: {"audio": f"{tmp_path}/esc", "type": "strong", "part": part}
        for part in ("train", "xvalid", "eval")
    }
    job = job_of(tmp_path / "o", ("cat", "dog", "rain"), **parts)
    found = examine(forms.text(tmp_path / "j.yaml", yaml.safe_dump(job.model_dump(mode="json"))))
    said = [line for line in found.remarks if "no event of cat" in line]
    assert len(said) == 2 and found.problems == []
    assert all("another split_seed parts the recordings otherwise" in line for line in said)
