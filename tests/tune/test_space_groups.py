"""The groups of a space before work: what is refused, all at once, and what the run keeps."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from raysed.config.space import read_space
from raysed.run.seed_looks import Look, SeedLooks
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from raysed.tune.preparation import prepare
from raysed.tune.space_groups import (
    copy_groups,
    drawn_counts,
    groups_faults,
    planned_names,
    read_with_groups,
    stored_names,
)
from tests.page.made_up import MadeUp, reference, write_dataset
from tests.report.conftest import write_run
from tests.report.growing import LOOKS
from tests.report.made_up import changed_plan
from tests.tune.tiny import write_space

HEADER = "filename\tgroup\n"


@pytest.fixture
def run(tmp_path: Path) -> Folder:
    """A run of two trainings and two seeds, finished."""
    run = Folder(str(tmp_path / "run"))
    write_run(run)
    return run


def asking(path: Path | None, looks=()):
    training = SimpleNamespace(cells={"a": ("val",)})
    space = SimpleNamespace(groups=path and str(path), looks=looks)
    return SimpleNamespace(space=space, trainings=(training,), external=())


def faults(tmp_path: Path, text: str, **names) -> list[str]:
    path = tmp_path / "groups.tsv"
    path.write_text(text)
    return list(groups_faults(asking(path), Folder(str(tmp_path / "run")), names))


def test_every_set_tells_what_it_lacks(tmp_path: Path) -> None:
    text = f"{HEADER}a.wav\tone\nb.wav\tone\n"
    assert faults(tmp_path, text, val=("a.wav", "b.wav")) == []
    first, second = faults(tmp_path, text, val=("a.wav", "c.wav"), eval=("d.wav",))
    assert first.startswith(
        f"groups, set val: {tmp_path}/groups.tsv: no group for clip c.wav (1 such"
    )
    assert second.startswith(f"groups, set eval: {tmp_path}/groups.tsv: no group for clip d.wav (1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("filename\tsource\na.wav\tone\n", "line 1: expected the tab-separated columns filename, gr"),
        (f"{HEADER}a.wav\t\n", "line 2: clip a.wav has no group"),
        (f"{HEADER}a.wav\tone\tmore\n", "line 2: more fields than the header has columns"),
    ],
)  # fmt: skip
def test_a_bad_table_is_told_once(tmp_path: Path, text: str, message: str) -> None:
    (fault,) = faults(tmp_path, text, val=("a.wav",), eval=("b.wav",))
    assert fault.startswith(f"groups: {tmp_path}/groups.tsv, ") and message in fault


def test_a_clip_of_two_groups_is_told_with_its_line(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, f"{HEADER}a.wav\tone\na.wav\ttwo\n", val=("a.wav",))
    assert "line 3: clip a.wav is of group two, and of one before" in fault


def test_they_are_told_with_all_else_that_stands_in_the_way(tree: Path) -> None:
    (tree / "short.tsv").write_text(f"{HEADER}nothing.wav\tone\n")
    path = write_space(tree, "grouped", groups=str(tree / "short.tsv"))
    content = yaml.safe_load(path.read_text())
    content["cells"][2]["set"]["shares"] = {"synthetic": 0, "unlabelled": 0, "weak": 400}
    path.write_text(yaml.safe_dump(content))
    resolved, run = read_space(path), Folder(str(tree / "grouped"))
    prepared = prepare(resolved, run, print, allow_changed=False)
    assert len(prepared.faults) == 2
    assert prepared.faults[0].startswith("cell weak: shares.weak is 400")
    assert "groups, set validation: " in prepared.faults[1] and "(6 such clips of 6)" in prepared.faults[1]  # fmt: skip
    names = planned_names(resolved, prepared.planned)
    assert set(names) == {"validation"} and len(names["validation"]) == 6
    rows = "".join(f"{name}\tone\n" for name in names["validation"])
    (tree / "short.tsv").write_text(HEADER + rows)
    assert list(groups_faults(resolved, run, names)) == []


def test_without_the_key_no_set_is_read() -> None:
    assert (
        planned_names(asking(None), [SimpleNamespace(name="val", state="present", url="?")]) == {}
    )


def test_the_clips_of_a_finished_set_are_those_stored(tmp_path: Path) -> None:
    truth = reference(MadeUp())
    write_dataset(tmp_path / "set", truth)
    assert stored_names(Folder(str(tmp_path / "set"))) == truth.filenames


def test_the_run_keeps_a_copy(tmp_path: Path) -> None:
    run = Folder(str(tmp_path / "run"))
    copy_groups(asking(None), run)
    assert run.read("groups.tsv") is None
    (tmp_path / "mine.tsv").write_text(f"{HEADER}a.wav\tone\n")
    copy_groups(asking(tmp_path / "mine.tsv"), run)
    assert run.read("groups.tsv") == (tmp_path / "mine.tsv").read_bytes()


def test_looks_hold_for_the_groups_that_they_drew(run: Folder, tmp_path: Path) -> None:
    look = Look(seeds=2, spent=0.01, families=(), questions=(), further=())
    SeedLooks(planned=LOOKS, done=(look,)).write(run)
    (tmp_path / "mine.tsv").write_text(f"{HEADER}a.wav\tone\n")
    (fault,) = groups_faults(asking(tmp_path / "mine.tsv", LOOKS), run, {})
    assert "has taken looks with other groups (or none)" in fault
    assert list(groups_faults(asking(None, LOOKS), run, {})) == []
    copy_groups(asking(tmp_path / "mine.tsv"), run)
    write_json(run, "plan.json", changed_plan(run, groups="mine.tsv").as_json())
    assert list(groups_faults(asking(tmp_path / "mine.tsv", LOOKS), run, {})) == []
    assert len(list(groups_faults(asking(None, LOOKS), run, {}))) == 1


def test_a_preview_reads_results_with_groups_that_fit(run: Folder, tmp_path: Path) -> None:
    plan, path = changed_plan(run), tmp_path / "mine.tsv"
    names = read_with_groups(asking(None), run, plan)[0].statistics.filenames
    path.write_text(HEADER + "".join(f"{name}\t{n // 2}\n" for n, name in enumerate(names)))
    assert read_with_groups(asking(path), run, plan)[0].statistics.groups_N is not None
    path.write_text(HEADER)
    assert read_with_groups(asking(path), run, plan)[0].statistics.groups_N is None


def test_a_plan_counts_groups_where_these_are_drawn(tmp_path: Path) -> None:
    path, names = tmp_path / "groups.tsv", {"val": ("a.wav", "b.wav", "c.wav"), "eval": ("d.wav",)}
    path.write_text(f"{HEADER}a.wav\tone\nb.wav\tone\nc.wav\ttwo\n")
    assert drawn_counts(asking(path), names) == {"val": 2}  # d.wav has none, which is a fault
    assert drawn_counts(asking(None), names) == {}
