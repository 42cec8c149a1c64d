"""A stored run as DataFrames: the same numbers as its tables, and clear words for what is not there."""

from pathlib import Path

import pandas as pd
import pytest

from raysed.interface.finished_run import FinishedRun


@pytest.fixture(scope="module")
def run(demo):
    return FinishedRun(demo / "runs/demo")


def test_values_are_those_of_its_tables(run, demo):
    stored = pd.read_csv(demo / "runs/finished/tables/1.csv")
    mine = run.table.rename(columns={"evaluation": "set"})
    keys = ["cell", "set", "metric"]
    both = stored.merge(mine, on=keys, suffixes=("", "_mine"))
    assert len(both) == len(stored) == len(mine)
    # The intervals of two seeds were wider then.
    assert both.value.to_numpy() == pytest.approx(both.value_mine.to_numpy(), abs=1e-9)
    assert (mine.low <= mine.value).all() and (mine.value <= mine.high).all()


def test_clips_add_up(run):
    clips = run.clips("all")
    assert (clips.hits + clips.misses == clips.events).all()
    assert len(clips) == 12 and (clips.false_alarms >= 0).all()
    assert not clips.equals(run.clips("all", seed=1))


def test_any_pair_is_compared_both_ways(run):
    there, back = run.compare("all", "labelled"), run.compare("labelled", "all")
    assert there.difference == pytest.approx(-back.difference)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.family == 1
    assert run.compare("all", "all").difference == 0
    planned = run.differences
    assert {"cell", "against", "difference", "simultaneous_low", "outcome"} <= {*planned.columns}


def test_curves_and_trials(run):
    curves = run.curves
    assert {"training", "seed", "epoch", "loss", "xvalid_f1.dry"} <= {*curves.columns}
    assert (curves.groupby(["training", "seed"]).epoch.min() == 0).all()
    assert len(run.trials) == 4


def test_scores_end_with_the_clip(run):
    name = run.clips("all").filename[0]
    scores = run.scores("all", name)
    assert list(scores.columns) == ["onset", "offset", "Dog", "Speech"]
    assert scores.onset[0] == 0 and scores.offset.iloc[-1] <= 2.0
    assert scores[["Dog", "Speech"]].stack().between(0, 1).all()


def test_checkpoints_and_data_sets_are_where_it_says(run):
    assert Path(run.checkpoint("labelled", seed=1)).is_file()
    assert Path(run.data_sets["weak"], "manifest.json").is_file()


def test_what_is_not_there_is_named(run, tmp_path):
    for wrong, message in (
        (lambda: run.clips("alll"), "has no cell alll; it has all, labelled"),
        (lambda: run.clips("all", seed=7), r"seed 7 is not finished \(finished: 0, 1\)"),
        (lambda: run.clips("all", "val"), "no evaluation set val; there are validation"),
        (lambda: run.scores("all", "x.wav"), "x.wav is not a clip of validation"),
        (lambda: run.compare("all", "labelled", "f1"), "'f1' is no metric; known are event_f1"),
        (lambda: FinishedRun(tmp_path), "holds no plan.json"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_pairs_are_compared_in_metrics_that_the_space_does_not_name(run):
    """Those over all thresholds come from the stored scores; it said that no seed was finished."""
    found = run.compare("all", "labelled", "psds1_all")
    assert found.metric == "psds1_all" and found.low <= found.difference <= found.high
    scored = run.compare("all", "labelled", "psds1")
    assert abs(found.difference - scored.difference) < 0.5
    with pytest.raises(ValueError, match="all has no seed 9; it has 0, 1"):
        run.checkpoint("all", seed=9)
