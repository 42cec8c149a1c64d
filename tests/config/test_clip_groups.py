"""The key `groups` of a space: refused where no file is there, with all other faults, and no part of a training."""

from pathlib import Path

import pytest

from raysed.config.clip_groups import absent_groups
from raysed.config.fault import Fault
from tests.config.test_space import cell, faults_of, space_of

__all__ = ["space_of"]

PLACES = {(): "space.yaml"}


def test_no_key_and_a_file_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "groups.tsv").write_text("filename\tgroup\n")
    assert absent_groups(None, {}, None) == []
    assert absent_groups(str(tmp_path / "groups.tsv"), {}, None) == []


@pytest.mark.parametrize(
    ("name", "what"), [("none.tsv", "no such file (relative to"), (".", "a folder")]
)
def test_what_is_no_file_is_a_fault_of_a_run_and_noted_for_a_plan(
    tmp_path: Path, name: str, what: str
) -> None:
    (fault,) = absent_groups(str(tmp_path / name), PLACES, None)
    assert f"groups: {tmp_path / name}: {what}" in fault and "columns filename and group" in fault
    unset: list[Fault] = []
    assert absent_groups(str(tmp_path / name), PLACES, unset) == []
    assert [str(each) for each in unset] == [fault]


def test_it_is_told_with_all_other_faults_and_its_place(space_of) -> None:
    faults = faults_of(space_of, [cell("a", schedule={"epochs": 0})], groups="none.tsv")
    assert len(faults) == 2
    assert "space.yaml:" in faults[0] and "groups: none.tsv: no such file" in faults[0]
    assert "epochs" in faults[1]


def test_groups_are_no_part_of_a_training(space_of, tmp_path: Path) -> None:
    (tmp_path / "groups.tsv").write_text("filename\tgroup\n")
    alone = space_of([cell("a")])
    grouped = space_of([cell("a")], groups=str(tmp_path / "groups.tsv"))
    assert alone.trainings == grouped.trainings
