"""The live table of a run on a terminal; nothing where standard error is not one."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from raysed.run.trial_state import State
from raysed.text import clock
from raysed.tune.trial_progress import Row, TrialProgress

_ORDER: tuple[State, ...] = (
    "running",
    "failed",
    "stopped",
    "unfinished",
    "not started",
    "finished",
)
_STYLE = {
    "running": "bold",
    "failed": "red",
    "stopped": "yellow",
    "unfinished": "dim",
    "not started": "dim",
    "finished": "green",
}
_FRAME_LINES = 6
"""Lines of the terminal that are no trials: header, rules, summary, one spare."""


@contextmanager
def live_table(progress: TrialProgress) -> Iterator[None]:
    """Show the table until the context ends; it then stays on the terminal. Other lines are printed above it."""
    if not is_terminal():
        yield
        return
    console = Console(stderr=True)

    def picture() -> RenderableType:
        return table_of(progress, console.height - _FRAME_LINES)

    with Live(get_renderable=picture, console=console, refresh_per_second=1):
        yield


def is_terminal() -> bool:
    """Tell whether standard error is a terminal that a person watches."""
    return sys.stderr.isatty()


def table_of(progress: TrialProgress, lines: int) -> RenderableType:
    """Return the trials that fit in this many lines, running ones first, and a summary."""
    table = Table("trial", "state", "epoch", "best x-valid F1", "clips/s", "left", box=None)
    rows = sorted(progress.rows.values(), key=lambda row: _ORDER.index(row.state))
    shown = rows if len(rows) <= lines else rows[: max(lines - 1, 1)]
    for row in shown:
        table.add_row(*_cells(row), style=_STYLE[row.state])
    hidden = Counter(row.state for row in rows[len(shown) :])
    if hidden:
        table.add_row(f"and {_counted(hidden)}", style="dim")
    return Group(table, Text(f"{progress.overall()} | {_counted(progress.counts())}"))


def _cells(row: Row) -> tuple[str, ...]:
    best = " ".join(f"{name} {f1:.3f}" for name, f1 in row.best.items())
    pace = f"{row.clips_per_s:.0f}" if row.clips_per_s is not None else ""
    left = clock(row.left_s) if row.left_s is not None else ""
    return row.plan.label, row.state, f"{row.epochs_done}/{row.epochs}", best, pace, left


def _counted(states: Mapping[State, int]) -> str:
    return ", ".join(f"{states[state]} {state}" for state in _ORDER if states.get(state))
