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


def test_labels_in_another_unit_and_clips_of_two_sets_are_said(tmp_path: Path) -> None:
    for n in range(3):
        forms.audio(tmp_path / f"rec/{n}.wav", 0.5)
    head = "filename\tonset\toffset\tevent_label\n"
    rows = [
        "0.wav\t0.1\t0.2\tDog\n",
        "1.wav\t0.4\t0.6\tDog\n",
        "2.wav\t0.5\t0.7\tDog\n",
        "0.wav\t0.15\t0.3\tDog\n",
    ]
    in_s = forms.text(tmp_path / "s.tsv", head + "".join(rows))
    in_ms = forms.text(
        tmp_path / "ms.tsv", head + "0.wav\t100\t200\tDog\n1.wav\t0\t9\tDog\n2.wav\t9\t15\tDog\n"
    )
    of = {"audio": f"{tmp_path}/rec", "type": "strong"}
    sets = {"s": {**of, "labels": str(in_s)}, "ms": {**of, "labels": str(in_ms)}}
    job = job_of(tmp_path / "o", ("Dog",), **sets)
    found = examine(forms.text(tmp_path / "j.yaml", yaml.safe_dump(job.model_dump(mode="json"))))
    (problem,) = found.problems
    assert problem.startswith(
        "ms: 2 of 3 events begin after their clip has ended, such as at 100 s in 0.wav, of 0.5 s:"
    )
    remarks = "\n".join(found.remarks)
    assert "s: 1 of 4 events begin after their clip has ended, such as at 0.5 s in 2.wav" in remarks
    assert "s: 1 same-class overlaps; training unites them" in remarks
    assert "s: 1 events end after their clip; training cuts them" in remarks
    assert "ms and s hold clips of the same recording: 3 (0.wav = 0.wav" in remarks
