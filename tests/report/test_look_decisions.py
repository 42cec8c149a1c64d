"""The decisions of a look, on stored statistics."""

import pytest

from raysed.report.look_decisions import next_look, questions
from raysed.report.results import Measured, read_results
from raysed.run.seed_looks import SeedLooks
from raysed.run.trial_plan import plan_trials
from raysed.storage.folder import Folder
from tests.report.growing import LOOKS, RESOLVED, plan_for, train
from tests.report.made_up import claim


def seeds_of(looks):
    return {t.id: tuple(range(looks.seeds_of(t.id))) for t in RESOLVED.trainings}


def looked(run, looks, **changes):
    train(run, plan_trials(RESOLVED, run))
    plan = plan_for(seeds_of(looks), **changes)
    return next_look(plan, Measured(read_results(run, plan), plan.bootstrap_draws), looks)


def with_look(looks, look):
    return looks.model_copy(update={"done": (*looks.done, look)})


@pytest.fixture
def run(tmp_path):
    return Folder(str(tmp_path))


def states(look):
    return {(q.claim, q.cell, q.against): (q.answer, q.state) for q in look.questions}


def test_the_first_look_decides_what_is_clear_and_goes_on_with_what_may_come(run):
    look = looked(run, SeedLooks(planned=LOOKS))
    found = states(look)
    assert found["", "poor", "good"] == ("no", "decided")  # lower
    assert found["K1", "good", "poor"] == ("yes", "decided")
    assert found["", "twin", "good"] == ("open", "hopeless")
    assert (look.seeds, look.spent) == (2, pytest.approx(0.05 * 0.5**1.5))
    assert all(q.chance is None for q in look.questions if q.state == "decided")
    open_cells = {c for q in look.questions if q.state == "open" for c in (q.cell, q.against)}
    assert {"p", "t"}.isdisjoint(look.further)
    assert set(look.further) == ({"g", "m"} if open_cells else set())


def test_a_look_is_a_function_of_what_is_stored(run):
    assert looked(run, SeedLooks(planned=LOOKS)) == looked(run, SeedLooks(planned=LOOKS))


def test_what_is_decided_stays_and_only_the_open_get_seeds(run):
    looks = SeedLooks(planned=LOOKS)
    first = looked(run, looks)
    # The middle one is asked for further seeds whatever the first look found.
    first = first.model_copy(update={"further": ("g", "m")})
    looks = with_look(looks, first)
    looks.write(run)
    second = looked(run, looks)
    (before,), (after,) = first.families, second.families
    assert after.critical < before.critical
    for old, new in zip(before.differences, after.differences, strict=True):
        if "poor" in (old.cell, old.against) or "twin" in (old.cell, old.against):
            assert new == old
        else:
            assert (old.seeds, new.seeds) == (2, 3)
            assert old.low <= new.low <= new.high <= old.high
    assert states(second)["", "twin", "good"] == ("open", "hopeless")


def test_the_last_look_asks_for_nothing(run):
    looks = SeedLooks(planned=(2,))
    look = looked(run, looks)
    assert look.further == () and look.spent == pytest.approx(0.05)
    assert states(look)["", "twin", "good"] == ("open", "open")


def test_a_claim_that_is_answered_needs_no_more(run):
    claims = [claim("K2", ("poor", "higher", "good"), ("middle", "higher", "twin"), metrics=["event_f1"])]  # fmt: skip
    found = states(looked(run, SeedLooks(planned=LOOKS), claims=claims))
    assert found["K2", "poor", "good"] == ("no", "decided")
    assert found["K2", "middle", "twin"][1] in ("decided", "not needed")


def test_other_questions_than_at_the_look_before_are_refused(run):
    looks = SeedLooks(planned=LOOKS)
    looks = with_look(looks, looked(run, looks))
    looks.write(run)
    with pytest.raises(ValueError, match="asks other questions"):
        looked(run, looks, claims=[claim("K9", ("poor", "lower", "good"), metrics=["event_f1"])])


def test_questions_are_contrasts_and_comparisons():
    plan = plan_for({t.id: (0, 1) for t in RESOLVED.trainings})
    asked = [(q.claim, q.cell, q.against, q.expect) for q in questions(plan)]
    assert asked == [
        ("", "poor", "good", "higher"),
        ("", "middle", "good", "higher"),
        ("", "twin", "good", "higher"),
        ("K1", "good", "poor", "higher"),
    ]
