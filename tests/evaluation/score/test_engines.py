"""The packages themselves as engines: the same values, and refusals that say what to do."""

import importlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from raysed.evaluation.score import engines
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from tests.evaluation.metrics.test_threshold_free import scored
from tests.evaluation.oracles import frame, random_case, without_overlap

pytestmark = pytest.mark.filterwarnings("ignore")  # the packages'


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    case = random_case(2, n_clips=10, n_points=12)
    reference = case.reference
    truth = frame(reference.events, reference)
    truth.to_csv(tmp_path / "truth.tsv", sep="\t", index=False)
    columns = {"filename": reference.filenames, "duration": reference.durations_s}
    pd.DataFrame(columns).to_csv(tmp_path / "durations.tsv", sep="\t", index=False)
    (tmp_path / "points").mkdir()
    for threshold, events in case.points.items():
        table = frame(without_overlap(events), reference)  # psds_eval refuses overlaps
        table.to_csv(tmp_path / "points" / f"{threshold}.tsv", sep="\t", index=False)
    names = {"ground_truth": "truth.tsv", "durations": "durations.tsv", "predictions": "points"}
    return {key: tmp_path / name for key, name in names.items()}


def confirmed(files: dict[str, Path], engine: Any, **more: Any) -> dict[str, Any]:
    return score(ScoreRequest(**files | more, engine=engine, draws=20))["engine"]


@pytest.mark.parametrize(
    ("engine", "metrics"),
    [
        ("sed_eval", ["event_f1", "segment_f1"]),
        ("psds_eval", ["intersection_f1", "psds", "psds1", "psds2"]),
    ],
)
def test_values_are_the_same(files: dict[str, Path], engine: str, metrics: list[str]) -> None:
    found = confirmed(files, engine)
    assert (found["name"], list(found["metrics"]), found["agrees"]) == (engine, metrics, True)
    for row in found["metrics"].values():
        assert row["ours"] == pytest.approx(row["package"], abs=1e-12) and row["ours"] > 0


def test_score_files_by_sed_scores_eval(tmp_path: Path) -> None:
    pytest.importorskip("sed_scores_eval")
    reference, scores = scored(1, 1000)
    frame(reference.events, reference).to_csv(tmp_path / "truth.tsv", sep="\t", index=False)
    columns = {"filename": reference.filenames, "duration": reference.durations_s}
    pd.DataFrame(columns).to_csv(tmp_path / "durations.tsv", sep="\t", index=False)
    (tmp_path / "scores").mkdir()
    for n, name in enumerate(reference.filenames):
        table = pd.DataFrame(scores.scores_NTK[n], columns=list(reference.classes))
        table.insert(0, "onset", scores.edges_NT1[n, :-1])
        table.insert(1, "offset", scores.edges_NT1[n, 1:])
        table = table[table["offset"] > table["onset"]]
        table.to_csv(tmp_path / "scores" / f"{Path(name).stem}.tsv", sep="\t", index=False)
    paths = {"ground_truth": "truth.tsv", "durations": "durations.tsv", "predictions": "scores"}
    found = confirmed({key: tmp_path / name for key, name in paths.items()}, "sed_scores_eval")
    assert list(found["metrics"]) == ["psds_all", "psds1_all", "psds2_all"] and found["agrees"]


def test_a_silent_class_is_a_remark_and_not_judged(files: dict[str, Path], tmp_path: Path) -> None:
    table = pd.read_csv(next(files["predictions"].iterdir()), sep="\t")
    table[table["event_label"] != "class1"].to_csv(tmp_path / "one.tsv", sep="\t", index=False)
    for engine, metric in (("sed_eval", "segment_f1"), ("psds_eval", "intersection_f1")):
        found = confirmed(files, engine, predictions=tmp_path / "one.tsv")
        row = found["metrics"][metric]
        assert "leaves out a class" in row["remark"] and row["package"] > row["ours"]
        assert found["agrees"]


@pytest.mark.parametrize(
    ("engine", "more", "message"),
    [
        ("psds_eval", {"durations": None}, "--engine psds_eval needs --durations"),
        ("sed_scores_eval", {}, "--engine sed_scores_eval needs score files"),
    ],
)
def test_what_a_package_cannot_score(
    files: dict[str, Path], engine: str, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        confirmed(files, engine, **more)


def test_a_missing_package_names_the_extra(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(engines, "import_module", absent)
    with pytest.raises(
        ValueError, match=r"--engine psds_eval: .*pip install 'raysed\[reference\]'"
    ):
        confirmed(files, "psds_eval")
    assert importlib.import_module("raysed.evaluation.score.engines") is engines


def test_another_value_is_seen(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_ours", lambda name, system: 0.123)
    assert not confirmed(files, "sed_eval")["agrees"]


def test_what_a_package_refuses_is_said(files: dict[str, Path], tmp_path: Path) -> None:
    name = pd.read_csv(files["durations"], sep="\t")["filename"][0]
    rows = f"{name}\t1\t2\tclass0\n{name}\t1.5\t3\tclass0\n"
    (tmp_path / "two.tsv").write_text(f"filename\tonset\toffset\tevent_label\n{rows}")
    with pytest.raises(ValueError, match="--engine psds_eval: the package refuses this input: The"):
        confirmed(files, "psds_eval", predictions=tmp_path / "two.tsv")
