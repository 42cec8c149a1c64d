"""The table of a run's trials, on rows made by hand."""

import io
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from rich.console import Console

from raysed.tune import live_table as module
from raysed.tune.live_table import live_table, table_of


def row(name, state, **about):
    fields = {"epochs_done": 1, "epochs": 4, "best": {}, "clips_per_s": None, "left_s": None}
    return SimpleNamespace(plan=SimpleNamespace(label=name), state=state, **{**fields, **about})


def progress_of(*rows):
    return SimpleNamespace(
        rows={row.plan.label: row for row in rows},
        overall=lambda: "1/5 trials, 30%, 2m20s left",
        counts=lambda: Counter(row.state for row in rows),
    )


def lines_of(progress, lines):
    console = Console(file=io.StringIO(), width=200)
    console.print(table_of(progress, lines))
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


EVERY = progress_of(
    row("a", "finished", epochs_done=4, best={"dry": 0.25}),
    row("b", "not started", epochs_done=0),
    row("c", "running", best={"dry": 0.5, "rir": 0.125}, clips_per_s=59.6, left_s=130.0),
    row("d", "failed"),
    row("e", "stopped"),
    row("f", "unfinished"),
)


def test_running_trials_come_first_and_finished_ones_last():
    assert lines_of(EVERY, 10)[1:] == [
        "c running 1/4 dry 0.500 rir 0.125 60 2m10s",
        "d failed 1/4",
        "e stopped 1/4",
        "f unfinished 1/4",
        "b not started 0/4",
        "a finished 4/4 dry 0.250",
        "1/5 trials, 30%, 2m20s left | 1 running, 1 failed, 1 stopped, 1 unfinished, 1 not started, 1 finished",
    ]


@pytest.mark.parametrize(
    ("lines", "shown", "rest"),
    [
        (6, 6, None),
        (5, 4, "and 1 not started, 1 finished"),
        (1, 1, "and 1 failed, 1 stopped, 1 unfinished, 1 not started, 1 finished"),
        (-3, 1, "and 1 failed, 1 stopped, 1 unfinished, 1 not started, 1 finished"),
    ],
)
def test_what_does_not_fit_is_counted(lines, shown, rest):
    found = lines_of(EVERY, lines)[1:-1]
    assert len(found) == shown + (rest is not None)
    assert found[0].startswith("c running")
    assert rest is None or found[-1] == rest


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_a_log_gets_no_table(monkeypatch, terminal):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream := Stream(terminal))
    assert module.is_terminal() is terminal
    with live_table(EVERY):
        pass
    assert ("1/5 trials" in stream.getvalue()) is terminal
    assert terminal or stream.getvalue() == ""
