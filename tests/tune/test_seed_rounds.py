"""Rounds of growing seeds: a run that is killed anywhere takes the decisions of one that is not."""

from types import SimpleNamespace

import pytest

from raysed.report.report import write_report
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import read_looks
from raysed.storage.folder import Folder
from raysed.tune import seed_rounds
from raysed.tune.seed_rounds import run_rounds, seeds_text
from tests.report.growing import LOOKS, RESOLVED, plan_for, train


class KilledError(Exception):
    """A process that ends without a word."""


def rounds(run, *, die_after=None, said=None):
    """Run to the end, or until so many trials are trained."""
    trained = []

    def one_by_one(trials):
        for trial in trials:
            if not trial.is_over:
                if die_after is not None and len(trained) == die_after:
                    raise KilledError
                train(run, [trial])
                trained.append(trial.name)
        return []

    said = [] if said is None else said
    return run_rounds(RESOLVED, run, plan_for, one_by_one, said.append)[0], trained


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run, said = Folder(str(tmp_path_factory.mktemp("whole"))), []
    trials, trained = rounds(run, said=said)
    return run, trials, trained, said


def test_a_round_after_another_until_nothing_is_open(whole):
    run, trials, trained, said = whole
    looks = read_looks(run, LOOKS)
    assert looks.over and looks.done
    assert trained[:8] == [f"{t}-seed{s}" for s in (0, 1) for t in "gpmt"]
    assert sorted(trained) == sorted(trial.name for trial in trials)
    for training in RESOLVED.trainings:
        asked = looks.seeds_of(training.id)
        assert sum(name.startswith(f"{training.id}-") for name in trained) == asked
    assert looks.seeds_of("p") == 2  # decided at the first look
    assert any(line.startswith("Look 1 of at most 3") for line in said)
    assert said[-1].startswith("  stopped: ")
    assert RunPlan.require(run).trials == len(trials)


@pytest.mark.parametrize("die_after", [0, 3, 7])
def test_killed_in_the_first_round_and_resumed(whole, tmp_path, die_after):
    run = Folder(str(tmp_path))
    with pytest.raises(KilledError):
        rounds(run, die_after=die_after)
    assert read_looks(run, LOOKS).done == ()
    rounds(run)
    assert read_looks(run, LOOKS) == read_looks(whole[0], LOOKS)


def test_killed_in_a_later_round_and_resumed(whole, tmp_path):
    run, trained = Folder(str(tmp_path)), whole[2]
    if len(trained) == 8:
        pytest.fail("the made-up run has to go on after its first look")
    with pytest.raises(KilledError):
        rounds(run, die_after=8)
    assert len(read_looks(run, LOOKS).done) == 1
    _, more = rounds(run)
    assert more == trained[8:]
    assert read_looks(run, LOOKS) == read_looks(whole[0], LOOKS)


def test_killed_between_a_round_and_its_look(whole, tmp_path, monkeypatch):
    run = Folder(str(tmp_path))

    def killed(*args):
        raise KilledError

    monkeypatch.setattr(seed_rounds, "take_look", killed)
    with pytest.raises(KilledError):
        rounds(run)
    monkeypatch.undo()
    rounds(run)
    assert read_looks(run, LOOKS) == read_looks(whole[0], LOOKS)


def test_the_end_is_stable(whole):
    run, trials, _, _ = whole
    again, trained = rounds(run)
    assert trained == [] and [t.name for t in again] == [t.name for t in trials]


@pytest.mark.parametrize("holes", [["failed: post-processing of t seed 1"], []])
def test_no_look_at_a_round_with_holes(tmp_path, holes):
    run, said = Folder(str(tmp_path)), []

    def all_but_one(trials):
        train(run, trials if holes else trials[:-1])
        return holes

    trials, missing = run_rounds(RESOLVED, run, plan_for, all_but_one, said.append)
    assert missing == holes
    assert [t.name for t in trials if not t.is_over] == ([] if holes else ["t-seed1"])
    assert said == [
        "no look yet: 1 trial of this round lacks results; the same command tries again"
    ]
    assert read_looks(run, LOOKS).done == ()


def test_a_report_of_the_end_has_only_the_trials_that_were_asked_for(whole):
    run, trials, _, _ = whole
    report = write_report(run)
    assert len(report.trials) == len(trials)
    assert all(trial.state == "finished" for trial in report.trials.values())
    assert not any("not finished" in line for line in report.lines)
    poor = next(cell for cell in report.cells if cell.cell == "poor")
    assert len(poor.seed_values) == 2


def test_the_seeds_of_a_headline():
    space = SimpleNamespace(all_seeds=(0, 1), looks=())
    assert seeds_text(space) == " x 2 seeds ="
    assert seeds_text(RESOLVED.space) == ", 2 to 4 seeds as claims are open, so far"
