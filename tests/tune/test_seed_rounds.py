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
        "no look yet: 1 trial of this round lacks results; the same command tries again, and then looks without what"
        " fails again"
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


def failing(run, bad, *, own, asked=None):
    """Train everything but the trials `bad`, which fail; `asked` keeps what each round was asked to train."""

    def all_but_these(trials):
        if asked is not None:
            asked.append([t.name for t in trials if not t.is_over])
        train(run, [t for t in trials if t.name not in bad])
        for trial in trials:
            if trial.name in bad:
                trial.out.note_failure("DivergedError: the loss is not finite", own=own)
        return []

    return all_but_these


def test_a_look_is_made_without_a_trial_that_fails_for_its_own_reasons(whole, tmp_path):
    run, said, asked = Folder(str(tmp_path)), [], []
    train_all = failing(run, {"t-seed1"}, own=True, asked=asked)
    trials, missing = run_rounds(RESOLVED, run, plan_for, train_all, said.append)
    assert missing == [] and [t.name for t in trials if not t.is_over] == ["t-seed1"]
    looks = read_looks(run, LOOKS)
    assert looks.over and all(look.failed == ("t-seed1",) for look in looks.done)
    assert "  made without what had failed: twin seed 1" in said
    # One command tries it once, whatever the number of rounds.
    assert len(asked) > 1 and sum("t-seed1" in names for names in asked) == 1
    twin = [d for look in looks.done for d in look.families[0].differences if d.cell == "twin"]
    assert twin[0].seed_numbers == (0,)
    # What does not rest on it is as it would have been, but for the variance that it shares.
    (ours,), (theirs,) = (
        [q.answer for q in of.done[0].questions if q.claim == "K1"]
        for of in (looks, read_looks(whole[0], LOOKS))
    )
    assert ours == theirs == "yes"
    report = write_report(run)
    assert any("failed: t-seed1 (twin): DivergedError" in line for line in report.lines)
    assert "  made without what had failed: twin seed 1" in report.lines
    assert {c.cell: c.seeds for c in report.contrasts}["twin"] == twin[-1].seed_numbers


def test_what_failed_otherwise_is_tried_again_before_a_look_is_made_without_it(tmp_path):
    run, said = Folder(str(tmp_path)), []
    train_all = failing(run, {"t-seed1"}, own=False)
    run_rounds(RESOLVED, run, plan_for, train_all, said.append)
    assert said[-1].startswith("no look yet: 1 trial of this round lacks results")
    assert read_looks(run, LOOKS).done == ()
    run_rounds(RESOLVED, run, plan_for, train_all, said.append)
    assert read_looks(run, LOOKS).done[0].failed == ("t-seed1",)


def test_what_failed_and_then_finishes_is_as_if_it_never_had(whole, tmp_path):
    run = Folder(str(tmp_path))
    run_rounds(RESOLVED, run, plan_for, failing(run, {"t-seed1"}, own=False), print)
    rounds(run)
    assert read_looks(run, LOOKS) == read_looks(whole[0], LOOKS)


def test_a_cell_that_never_finishes_leaves_its_questions_and_the_others_go_on(whole, tmp_path):
    run, said = Folder(str(tmp_path)), []
    bad = {f"p-seed{seed}" for seed in range(4)}
    run_rounds(RESOLVED, run, plan_for, failing(run, bad, own=True), said.append)
    looks = read_looks(run, LOOKS)
    assert looks.over
    for look in looks.done:
        states = {(q.cell, q.against): q.state for q in look.questions}
        assert states["poor", "good"] == states["good", "poor"] == "failed"
        assert "failed" not in (states["middle", "good"], states["twin", "good"])
        assert "p" not in look.further
    assert "  failed (no finished seed of both cells): poor less good, K1" in said
    report = write_report(run)
    assert report.claims[0].holds == "waiting"
    assert {c.cell for c in report.contrasts} == {"middle", "twin"}


def test_no_look_where_no_training_has_two_seeds(tmp_path):
    run, said = Folder(str(tmp_path)), []
    bad = {f"{training}-seed1" for training in "gpmt"}
    run_rounds(RESOLVED, run, plan_for, failing(run, bad, own=True), said.append)
    assert said[-1].startswith("no look yet: 4 trials of this round lack results")
    assert read_looks(run, LOOKS).done == ()
