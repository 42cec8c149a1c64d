"""Sources that are newer than the set that was made of them are said: sizes do not tell that a sound is another."""

import os
from pathlib import Path

import pytest

from raysed.config.data_job import DataJob
from raysed.data.build.dataset_plan import plan
from raysed.doctor.examine import examine
from tests.data.banks import edge_job, write_edge_bank
from tests.data.build.test_annotated_source import job_of
from tests.data.recorded import forms
from tests.data.recorded_tree import build_alone, weak_job, write_tree


def own(root: Path) -> tuple[DataJob, Path]:
    forms.esc_folders(root / "esc", clips=2)
    job = job_of(root / "o", ("dog", "rain"), esc={"audio": f"{root}/esc", "type": "weak"})
    return job, root / "esc/dog/0-000.wav"


def embedded(root: Path) -> tuple[DataJob, Path]:
    file = forms.hugging_face(root / "a.parquet")
    job = job_of(root / "o", ("dog", "rain"), p={"audio": str(file), "type": "weak"})
    return job, file


def recorded(root: Path) -> tuple[DataJob, Path]:
    job = weak_job(write_tree(root), root / "o")
    (p,) = plan(job)
    return job, Path(p.source.root, p.source.entries[0].path)


def synthetic(root: Path) -> tuple[DataJob, Path]:
    job = edge_job(write_edge_bank(root), count=6).model_copy(update={"out": str(root / "o")})
    return job, Path(plan(job)[0].source.context.soundbank.backgrounds[0])


@pytest.mark.parametrize("made", [own, embedded, recorded, synthetic])
def test_a_file_that_is_written_after_the_build_is_named(tmp_path: Path, made) -> None:
    job, file = made(tmp_path)
    before = plan(job)[0].warnings
    built = build_alone(job)
    os.utime(built.url + "/manifest.json", (1000, 1000))
    for path in tmp_path.rglob("*"):
        if str(tmp_path / "o") not in str(path):
            os.utime(path, (999, 999))
    assert plan(job)[0].warnings == before
    os.utime(file, (1001, 1001))
    again = plan(job)[0]
    assert again.id == built.id
    (line,) = (line for line in again.warnings if line not in before)
    assert line.startswith(f"{again.url}: 1 file is newer than this set") and str(file) in line


def test_the_doctor_says_it_too(tmp_path: Path) -> None:
    job, file = own(tmp_path)
    build_alone(job)
    os.utime(file, (2**32, 2**32))
    job_file = forms.text(tmp_path / "j.yaml", job.model_dump_json())
    assert any("1 file is newer than this set" in line for line in examine(job_file).remarks)
