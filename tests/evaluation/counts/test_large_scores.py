"""`raysed score` of score files too large for memory: what it finds of those that fit."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.score_set import write_set
from raysed.evaluation.counts import large_scores
from raysed.evaluation.counts.cell_changes import cell_deltas
from raysed.evaluation.counts.clip_counts import PAPER, arrays_of
from raysed.evaluation.counts.intersections import FP, ROUNDED
from raysed.evaluation.counts.kept_cells import Cells
from raysed.evaluation.counts.large_scores import at_levels, levels
from raysed.evaluation.counts.score_changes import FIRST
from raysed.evaluation.counts.scored_changes import FLUSH, LOOK, SURE, ScoredChanges
from raysed.evaluation.detections import score_files
from raysed.evaluation.detections.frame_scores import read_scores
from raysed.evaluation.metrics.registry import COUNT_METRICS
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from tests.evaluation.metrics.test_threshold_free import scored

ALL = ("psds_all", "psds1_all", "psds2_all", "pi_psds1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 clips of 12 classes, in which both systems find something and each has its own false alarms."""
    folder = tmp_path_factory.mktemp("set")
    write_set(folder, 240, 12, 40)
    (folder / "other").mkdir()
    for path in sorted((folder / "scores").glob("*.tsv")):
        head, *rows = path.read_text().splitlines()
        fields = [row.split("\t") for row in rows]
        halved = [
            "\t".join([*row[:2], *(f"{float(x) / 2:.6f}" for x in row[2:])]) for row in fields
        ]
        (folder / "other" / path.name).write_text("\n".join([head, *halved]) + "\n")
    return folder


def largest_difference(ours: Any, theirs: Any) -> float:
    """Of all numbers in two results, which are equal in all else but remarks: without detections there is none on them."""
    if isinstance(ours, dict):
        ours, theirs = ({k: x for k, x in of.items() if k != "warnings"} for of in (ours, theirs))
        assert ours.keys() == theirs.keys()
        return max((largest_difference(ours[key], theirs[key]) for key in ours), default=0.0)
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs)
    assert ours == theirs
    return 0.0


def values(found: dict[str, Any]) -> dict[str, Any]:
    """The values of a result without what comes from draws."""
    if "value" in found:
        return {"value": found["value"]}
    return {key: values(each) for key, each in found.items() if isinstance(each, dict)}


def all_scores(cells: Cells, present_N: np.ndarray) -> np.ndarray:
    return np.unique(cells.score_CT[cells.score_CT > -np.inf])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metrics", "versus"),
    [(COUNT_METRICS, False), (ALL, False), (ALL[:3], True)],
)
def test_files_give_what_memory_gives(
    made: Path, metrics: tuple[str, ...], versus: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without rounding all is the same; with few levels the values are, and draws are about the same."""
    request = ScoreRequest(
        made / "scores", made / "truth.tsv", made / "durations.tsv", draws=40, metrics=metrics
    )
    if versus:
        request = replace(request, versus=made / "other")
    expected = score(request)
    monkeypatch.setattr(score_files, "LARGE", 0)
    monkeypatch.setattr(large_scores, "levels", all_scores)
    assert largest_difference(score(request), expected) < 1e-12
    monkeypatch.setattr(large_scores, "levels", levels)
    monkeypatch.setattr(large_scores, "LEVELS", 50)
    few = score(request)
    assert largest_difference(values(few), values(expected)) < 1e-12
    for name in metrics:
        assert abs(few[name]["low"] - expected[name]["low"]) < 0.02


def test_changes_at_levels_are_those_of_rounded_scores() -> None:
    """Of clips with events of the class and without, the first false alarm of a clip included."""
    reference, scores = scored(4, 200, 20)
    truth, durations_s = arrays_of(reference.events.positive(), 20), reference.durations_s
    criteria, label, none = (*PAPER, ROUNDED), 1, -np.inf
    clip_N = np.arange(20)
    level_Q = np.quantile(scores.scores_NTK[..., label], [0.4, 0.5, 0.7, 0.9, 0.99])
    floor = float(level_Q[0])

    def counted(score_CT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cells = (clip_N, score_CT, scores.edges_NT1)
        entry_E4 = cell_deltas(truth, cells, label, durations_s, (criteria, floor, 3))
        return entry_E4, score_CT[entry_E4[:, 1], entry_E4[:, 2] % FIRST]

    score_CT = scores.scores_NTK[..., label]
    place_CT = np.searchsorted(level_Q, score_CT, side="right") - 1
    expected = counted(np.where(place_CT >= 0, level_Q[place_CT], none))
    exact = counted(score_CT)
    found = at_levels(*exact, level_Q, 3)
    assert 10 < len(found[0]) < len(exact[0]) and (found[0][:, 2] == FIRST).any()
    ours, theirs = (ScoredChanges.of(*each, 3) for each in (found, expected))
    for name in vars(theirs).keys() - {"mark_E"}:
        np.testing.assert_array_equal(vars(ours)[name], vars(theirs)[name])
    np.testing.assert_array_equal(ours.mark_E & (FLUSH + LOOK), theirs.mark_E & (FLUSH + LOOK))
    assert ((ours.mark_E & SURE) >= (theirs.mark_E & SURE)).all()
    for clip in clip_N:
        own = (ours.clip_E == clip) & (ours.slot_E == FP)
        alarms = np.cumsum(ours.change_E[own])
        sure = np.cumsum((ours.mark_E[own] & SURE) > 0)
        fewest = np.minimum.accumulate(alarms[::-1])[::-1]
        assert (sure <= fewest).all() and (not own.any() or sure[-1] > 0 or fewest[-1] == 0)
    assert at_levels(exact[0][:0], exact[1][:0], level_Q, 3)[0].shape == (0, 4)


def test_files_are_read_once_for_detections_and_all_criteria(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a few that tell about where the floors are (here all) and how long frames are (a quarter)."""
    read: list[Path] = []

    def counting(path: Path, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        read.append(path)
        return read_scores(path, classes)

    monkeypatch.setattr(score_files, "LARGE", 0)
    monkeypatch.setattr(score_files, "read_scores", counting)
    request = ScoreRequest(made / "scores", made / "truth.tsv", made / "durations.tsv", draws=10)
    assert score(request)["all_thresholds"]["psds2"]["value"] > 0
    assert len(read) <= 1 + 60 + 240 + 240


@pytest.mark.slow
def test_where_draws_lose_more_than_expected_more_is_counted(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sources, one with nearly all clips: a draw that has it twice or never has other rates than the set."""
    names = sorted(path.stem for path in (made / "scores").glob("*.tsv"))
    rows = [f"{name}.wav\t{int(n < 5)}" for n, name in enumerate(names)]
    (tmp_path / "groups.tsv").write_text("\n".join(["filename\tgroup", *rows]) + "\n")
    request = ScoreRequest(
        made / "scores",
        made / "truth.tsv",
        made / "durations.tsv",
        groups=tmp_path / "groups.tsv",
        draws=40,
        metrics=("psds_all", "psds2_all"),
    )
    expected = score(request)
    monkeypatch.setattr(score_files, "LARGE", 0)
    monkeypatch.setattr(large_scores, "levels", all_scores)
    assert largest_difference(score(request), expected) < 1e-12
