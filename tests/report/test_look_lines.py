"""What looks decided, in sentences."""

from types import SimpleNamespace

import pytest

from raysed.report.look_lines import look_lines
from raysed.run.seed_looks import Look, LookedQuestion, SeedLooks

PLAN = SimpleNamespace(
    looks=(3, 6),
    drawn="clips",
    trainings=("tb", "ta"),
    cells_of=lambda training: {"tb": ["B", "B-2"], "ta": ["A"]}[training],
)


def question(state, claim="", cell="A"):
    return LookedQuestion(
        claim=claim, cell=cell, against="B", evaluation="val", metric="psds", expect="higher",
        margin=0.03, answer="yes" if state == "decided" else "open", state=state,
    )  # fmt: skip


def looks(*states, seeds=3, further=()):
    asked = tuple(question(state, f"K{n}") for n, state in enumerate(states))
    look = Look(seeds=seeds, spent=0.0123, families=(), questions=asked, further=further)
    return SeedLooks(planned=(3, 6), done=(look,))


def test_listed_seeds_have_no_looks():
    assert look_lines(SimpleNamespace(looks=(), drawn="clips"), SeedLooks(planned=())) == []


def test_before_the_first_look_nothing_is_judged():
    assert look_lines(PLAN, SeedLooks(planned=(3, 6)))[1:] == [
        "Nothing is judged before every cell has 3 seeds."
    ]


def test_a_look_says_where_seeds_go_and_why():
    found = look_lines(PLAN, looks("decided", "open", "hopeless", "not needed", further=("tb",)))
    assert found[1:] == [
        "Look 1 of at most 2, after 3 seeds (1.2 % of error spent): 4 questions: 1 decided, 1 open, 1 hopeless,"
        " 1 not needed.",
        "  hopeless (less than 10 % chance of an answer with 6 seeds): K2",
        "  open: K1",
        "  so 3 further seeds for 1 training of 2: B, B-2",
    ]


@pytest.mark.parametrize(
    ("states", "seeds", "reason"),
    [
        (("decided", "not needed"), 3, "every question is answered"),
        (("decided", "hopeless"), 3, "no question is left that more seeds are likely to answer"),
        (("decided", "open"), 6, "6 seeds are trained; without an answer: K1"),
    ],
)
def test_it_says_why_it_stops(states, seeds, reason):
    assert look_lines(PLAN, looks(*states, seeds=seeds))[-1] == f"  stopped: {reason}"
