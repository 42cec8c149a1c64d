"""The outcome of a trial, read from its folder: finished, stopped early, or failed with a reason."""

import json
from typing import Any, Literal

from raysed.run.trial_plan import TrialPlan
from raysed.storage.json_file import read_json, write_json

Outcome = Literal["done", "stopped", "failed"]
DIED = "its process died without a word (killed, or out of memory); see Ray's logs"
_LAST_LINES = 8


def outcome(trial: TrialPlan) -> Outcome | None:
    """Return the outcome; None for a trial that has not begun or is under way. The next run tries a failed
    one again.
    """
    if trial.finished:
        return "done"
    if trial.out.read("stopped.json") is not None:
        return "stopped"
    return "failed" if trial.out.read("failed.json") is not None else None


def is_over(trial: TrialPlan) -> bool:
    """Tell whether the next run leaves the trial alone: it has its result, or was stopped early."""
    return outcome(trial) in ("done", "stopped")


def stored_epochs(trial: TrialPlan) -> list[dict[str, Any]]:
    """Return the metrics of every epoch that the trial has finished."""
    return [json.loads(line) for line in (trial.out.read("progress.jsonl") or b"").splitlines()]


def note_stopped(trial: TrialPlan, epochs: int) -> None:
    """Note that the search stopped the trial after this many epochs; its files stay."""
    write_json(trial.out, "stopped.json", {"epochs": epochs})


def note_failed(trial: TrialPlan, reason: str) -> None:
    """Note that every process that tried the trial died; a reason that the last one wrote stays."""
    if trial.out.read("failed.json") is None:
        write_json(trial.out, "failed.json", {"reason": reason})


def describe_failure(trial: TrialPlan) -> list[str]:
    """Return a line with the reason, then the last lines of the trial's log, or of the traceback where there
    is no log.
    """
    failed = read_json(trial.out, "failed.json") or {"reason": "see above; its folder says nothing"}
    log = (trial.out.read("log.txt") or b"").decode(errors="replace")
    lines = (log or failed.get("traceback", "")).rstrip().splitlines()[-_LAST_LINES:]
    source = "log.txt" if log else "traceback"
    head = f"failed: {trial.label} ({trial.out.url}): {failed['reason']}"
    return [head, *(f"  {source} | {line}" for line in lines)]
