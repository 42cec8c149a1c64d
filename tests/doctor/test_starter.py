"""The files that `raysed init` writes are read by what they are for, and name sets that are there."""

from pathlib import Path

import pytest

from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.config.space import Space, read_space
from raysed.data.build.dataset_plan import plan
from raysed.doctor.examine import examine
from raysed.doctor.guess import look_at
from raysed.doctor.starter import choose_roles, write_start
from tests.data.recorded import forms
from tests.paths import MINI_DESED


def checked(root: Path, out: Path) -> tuple[DataJob, Space]:
    """Write both files; read, plan and examine them as the commands would."""
    out.mkdir(exist_ok=True)
    job_file, space_file, _ = write_start(look_at(root), out)
    job = read_config(job_file, DataJob)
    space = read_space(space_file).space  # also checks that the job serves every cell
    assert {p.name for p in plan(job)} == set(job.sets)
    diagnosis = examine(job_file)
    assert diagnosis.problems == [] and len(diagnosis.subsets) == len(job.sets)
    return job, space


def many(root: Path, folder: str, count: int = 40, seconds: float = 0.3) -> None:
    for n in range(count):
        forms.audio(root / folder / f"{folder}{n}.wav", seconds, seed=n)


def test_events_tags_and_the_rest(tmp_path: Path) -> None:
    for folder in ("rec", "weakly", "rest"):
        many(tmp_path / "own", folder)
    rows = "".join(f"rec{n}.wav\t0.1\t0.2\t{'Dog' if n % 2 else 'on'}\n" for n in range(40))
    forms.text(tmp_path / "own/events.tsv", f"filename\tonset\toffset\tevent_label\n{rows}")
    tags = "".join(f"weakly{n}.wav\tDog\n" for n in range(40))
    forms.text(tmp_path / "own/tags.tsv", f"filename\tevent_labels\n{tags}")
    job, space = checked(tmp_path / "own", tmp_path / "out")
    assert set(job.sets) == {"train", "xvalid", "eval", "weak", "unlabelled"}
    assert job.classes == ("Dog", "on") and job.features.duration_s == 1.0
    assert [cell.id for cell in space.cells] == ["all", "strong_only", "weak_only"]
    assert space.base["schedule"]["epochs"] == 200  # at most
    with pytest.raises(ValueError, match=r"own_data\.yaml: is there already"):
        write_start(look_at(tmp_path / "own"), tmp_path / "out")


def test_class_folders_are_scored_as_whole_clips(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=30, classes=("dog", "sea waves"), seconds=0.3)
    job, space = checked(tmp_path / "esc", tmp_path / "out")
    assert space.base["schedule"]["epochs"] == 150  # 8 steps of 6 clips in 80 % of 60: 1200 steps
    assert {name: s.type for name, s in job.sets.items()} == {
        "train": "weak",
        "xvalid": "strong",
        "eval": "strong",
    }
    (p,) = plan(job, ["eval"])
    (clip,) = p.source.make(0)
    assert clip.events is not None and clip.events[0].offset == clip.duration_s == 0.3


def test_splits_by_their_names(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        many(tmp_path / "own", split)
        rows = "".join(f"{split}{n}.wav\t0.1\t0.2\tDog\n" for n in range(40))
        forms.text(tmp_path / f"own/{split}.tsv", f"filename\tonset\toffset\tevent_label\n{rows}")
    start = choose_roles(look_at(tmp_path / "own"))
    assert start.synthetic is not None
    assert (start.synthetic.name, start.xvalid.name, start.evaluation.name) == (
        "train",
        "validation",
        "test",
    )


def test_without_times_or_classes_nothing_can_be_scored(tmp_path: Path) -> None:
    many(tmp_path, "rest", 3)
    forms.text(tmp_path / "events.csv", "file;start;end;label\nrest0.wav;0;.1;Dog\n")
    with pytest.raises(ValueError, match="nothing here has labels with times") as error:
        choose_roles(look_at(tmp_path))
    assert "rest/: 3 recordings without labels\n  events.csv: not taken for labels" in str(
        error.value
    )


def test_names_of_folders_and_tables_do_not_break_the_files(tmp_path: Path) -> None:
    """A table may be called as a part is, and a folder and a label may hold what YAML and globs read otherwise."""
    root, out = tmp_path / 'own [1] "x": #2', tmp_path / "out: [2]"
    for split in ("train", "xvalid"):
        many(root, split)
        rows = "".join(f'{split}{n}.wav\t0.1\t0.2\tDog "big"\n' for n in range(40))
        forms.text(root / f"{split}.tsv", f"filename\tonset\toffset\tevent_label\n{rows}")
    job, space = checked(root, out)
    assert job.classes == ('Dog "big"',)
    assert {name: len(p.source.listing) for name, p in zip(job.sets, plan(job), strict=True)} == {
        "train": 30, "xvalid": 6, "eval": 40
    }  # fmt: skip
    assert space.base["data"]["evaluation"] == ["eval"] and space.cells[0].xvalid == "xvalid"


@pytest.mark.skipif(not MINI_DESED.is_dir(), reason="no mini-DESED here")
def test_mini_desed_as_plain_folders(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    (root / "recordings").symlink_to(next(MINI_DESED.glob("audio/validation/*")))
    (root / "tagged").symlink_to(MINI_DESED / "audio/train/weak")
    for name, table in (("events", "validation/validation"), ("tags", "train/weak")):
        (root / f"{name}.tsv").write_bytes((MINI_DESED / f"metadata/{table}.tsv").read_bytes())
    job, space = checked(root, tmp_path / "out")
    assert job.features.duration_s == 10.0 and len(job.classes or ()) == 10
    assert [cell.id for cell in space.cells] == ["all", "strong_only", "weak_only"]
