"""Predictions from elsewhere as counts of a run: what is read, refused and passed over."""

from pathlib import Path

import numpy as np
import pytest

from raysed.config.external import PredictionFiles
from raysed.config.space import read_space
from raysed.config.table import Cell
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.score.predictions import ClipSet
from raysed.report.report import write_report
from raysed.run.run_plan import external_id
from raysed.storage.folder import Folder
from raysed.tune.external_systems import count_predictions, left_out
from raysed.tune.preview import preview, this_machine
from raysed.tune.run_space import run_space
from tests.evaluation.oracles import random_case
from tests.tune.tiny import write_space

HEADER = "filename\tonset\toffset\tevent_label\n"


def write_points(folder: Path, thresholds: tuple[float, ...] = THRESHOLDS) -> Reference:
    """A system with the same detections at every operating point."""
    case = random_case(0)
    reference, events = case.reference, next(iter(case.points.values()))
    folder.mkdir(exist_ok=True)
    for threshold in thresholds:
        table = events.to_frame(reference.filenames, reference.classes)
        table.to_csv(folder / f"{threshold:.3f}.tsv", sep="\t", index=False)
    return reference


def test_operating_points_give_f1_and_psds(tmp_path: Path) -> None:
    reference = write_points(tmp_path / "points")
    found, _ = count_predictions(PredictionFiles(path=str(tmp_path / "points")), ClipSet(reference))
    assert found.thresholds == THRESHOLDS and len(found.psds) == 3
    (tmp_path / "none.tsv").write_text(HEADER)
    given = PredictionFiles(path=str(tmp_path / "points"), detections=str(tmp_path / "none.tsv"))
    other, said = count_predictions(given, ClipSet(reference))
    assert event_f1(other)[0][0] == 0 < event_f1(found)[0][0]
    assert other.psds.keys() == found.psds.keys()
    assert any("none.tsv: no detections" in line for line in said)
    assert not any("there is no PSDS" in line for line in said)


def test_other_operating_points_are_refused(tmp_path: Path) -> None:
    reference = write_points(tmp_path / "points", (0.1, 0.5, 0.9))
    with pytest.raises(ValueError, match=r"points: 3 operating points from 0.1 to 0.9, and trai"):
        count_predictions(PredictionFiles(path=str(tmp_path / "points")), ClipSet(reference))


def test_clips_that_the_set_has_lost_are_passed_over(tmp_path: Path) -> None:
    case = random_case(0)
    whole = case.reference
    table = HEADER + "".join(f"{name}\t1\t2\tclass0\n" for name in whole.filenames)
    (tmp_path / "one.tsv").write_text(table)
    kept_E = whole.events.clip_E < 8
    left = Reference(
        whole.filenames[:8], whole.durations_s[:8], whole.classes, whole.events.take(kept_E)
    )
    given = PredictionFiles(path=str(tmp_path / "one.tsv"))
    found, said = count_predictions(given, ClipSet(left, whole.filenames[8:]))
    assert found.event.n_sys_NK.sum() == 8
    assert any("4 rows are passed over, of 4 clips that are not scored here" in s for s in said)
    with pytest.raises(
        ValueError, match=r"one.tsv, line 10: clip clip0008.wav is not one of the 8"
    ):
        count_predictions(given, ClipSet(left))


def test_lost_clips_are_those_that_a_data_set_lists(tmp_path: Path) -> None:
    assert left_out(Folder(str(tmp_path))) == ()
    (tmp_path / "missing.tsv").write_text("filename\na.wav\nb.wav\n")
    (tmp_path / "quarantine.tsv").write_text("filename\treason\nc.wav\tcut\nb.wav\tcut\n")
    assert left_out(Folder(str(tmp_path))) == ("a.wav", "b.wav", "c.wav")


def test_a_system_is_called_by_what_it_predicts_wherever_that_lies(tmp_path: Path) -> None:
    def named(folder: str, **more: str) -> str:
        given = {"path": str(tmp_path / folder), **more}
        about = {"id": folder, "table": "1", "column": folder, "predictions": {"val": given}}
        return external_id(Cell.model_validate(about))

    for folder in ("a", "b", "c"):
        write_points(tmp_path / folder, (0.1, 0.5))
    assert named("a") == named("b")
    assert named("a", detections=str(tmp_path / "a" / "0.100.tsv")) != named("a")
    with (tmp_path / "c" / "0.500.tsv").open("a") as file:
        file.write("clip0000.wav\t9\t9.1\tclass0\n")
    assert named("c") != named("a")


@pytest.mark.ray
def test_a_space_of_predictions_alone_trains_nothing(tree: Path, ray_session: None) -> None:
    truth = (tree / "tree/dataset/metadata/validation/validation.tsv").read_text()
    (tree / "perfect.tsv").write_text(truth)
    about = {"table": "1", "column": "theirs"}
    cells = [
        {"id": "perfect", **about, "predictions": {"validation": str(tree / "perfect.tsv")}},
    ]
    space = write_space(tree, "elsewhere", cells=cells, contrasts=[])
    resolved, run, said = read_space(space), Folder(str(tree / "elsewhere")), []
    plan = preview(resolved, run, this_machine())
    assert (plan["refusals"], plan["trainings"], plan["estimated_hours"]) == ([], [], 0.0)
    assert [(row["cell"], row["files"]) for row in plan["external"]] == [("perfect", 1)]
    assert run_space(resolved, space, run, address=None, say=said.append) == 0
    assert any("1 of them predictions from elsewhere" in line for line in said)
    (tree / "wrong.tsv").write_text(HEADER + "nowhere.wav\t0\t1\tCat\n")
    wrong = [{"id": "x", **about, "predictions": {"validation": str(tree / "wrong.tsv")}}]
    faulty = read_space(write_space(tree, "faulty", cells=wrong, contrasts=[]))
    (line,) = preview(faulty, Folder(str(tree / "faulty")), this_machine())["refusals"]
    assert line.startswith("cell x, predictions.validation: ") and "clip nowhere.wav is not" in line
    row = next(line for line in write_report(run).lines if line.startswith("| perfect"))
    assert "100.0 [100.0, 100.0]" in row
    (tree / "perfect.tsv").write_text(HEADER + "nowhere.wav\t0\t1\tCat\n")
    with pytest.raises(ValueError, match=r"cell perfect, predictions.validation: .*perfect.tsv, l"):
        run_space(read_space(space), space, run, address=None, say=said.append)
    assert np.isfinite(write_report(run).cells[0].value or np.nan)
