"""The demo's last five lines, on differences made by hand."""

from types import SimpleNamespace

import pytest

from raysed.demo.closing import closing_lines


def contrast(cell, metric, difference, low, high):
    outcome = "undecided" if low <= 0 <= high else "higher" if low > 0 else "lower"
    return SimpleNamespace(
        cell=cell, against="SUW", metric=metric, difference=difference,
        simultaneous_low=low, simultaneous_high=high, outcome=outcome,
    )  # fmt: skip


def report_of(*contrasts, learnt=True):
    return SimpleNamespace(
        contrasts=contrasts,
        trials={n: SimpleNamespace(state=state) for n, state in enumerate(["finished", "failed"])},
        learnt=learnt,
        checks=[SimpleNamespace(cell="SUW")],
        run=SimpleNamespace(url="/somewhere/runs/demo"),
    )


LOWER = contrast("S", "event_f1", -0.177, -0.23, -0.124)
HIGHER = contrast("W", "psds", 0.05, 0.01, 0.09)
OPEN = contrast("S", "psds", -0.049, -0.114, 0.016)


def test_what_was_found_and_what_was_not():
    lines = closing_lines(report_of(LOWER, OPEN, HIGHER))
    assert len(lines) == 5
    assert lines[0] == "The demo in five lines (1 of 2 trials):"
    assert lines[1] == ("  found: S 17.7 points below SUW in event F1; W 0.050 above SUW in PSDS")
    assert lines[2] == "  not found: whether S differs from SUW in PSDS ([-0.114, +0.016])"
    assert lines[3].startswith("  learnt: yes, SUW is above a detector that is always on")
    assert lines[4] == "  open this page: /somewhere/runs/demo/report.html"


@pytest.mark.parametrize(
    ("contrasts", "found", "left"),
    [
        ((LOWER,), "S 17.7", "every planned difference was"),
        ((OPEN,), "no difference whose interval leaves out zero", "whether S"),
        ((), "no difference", "every"),
    ],
)
def test_nothing_found_is_said(contrasts, found, left):
    lines = closing_lines(report_of(*contrasts, learnt=False))
    assert lines[1].startswith(f"  found: {found}") and lines[2].startswith(f"  not found: {left}")
    assert lines[3].startswith("  learnt: no")
