"""The progress of the trials, from Tune's reports, for people: a line per epoch in a log, a live table on a
terminal.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ray.exceptions import RayTaskError
from ray.tune import Callback
from ray.tune.experiment import Trial

from raysed.run.folders import NOT_TRAINED
from raysed.run.status import RunStatus
from raysed.run.trial_plan import TrialPlan
from raysed.run.trial_state import DIED, OVER, State, state_of
from raysed.storage.folder import ReadDeniedError
from raysed.text import clock


@dataclass
class Row:
    """One trial as a person sees it."""

    plan: TrialPlan
    epochs: int
    state: State = "not started"
    epochs_done: int = 0
    best: dict[str, float] = field(default_factory=dict)
    """The best F1 so far on each x-valid set."""
    clips_per_s: float | None = None
    started: float = 0.0
    epochs_at_start: int = 0
    noted: float = 0.0
    """The moment of its last report, or of its start."""
    start_s: float | None = None
    """Seconds that its process took before it began its first epoch; None before that one is over."""
    epoch_s: float | None = None
    """Seconds of its last epoch, with x-valid."""

    @classmethod
    def of(cls, plan: TrialPlan) -> "Row":
        """Return the trial as its folder shows it."""
        row = cls(plan, plan.training.trial.schedule.epochs)
        for metrics in plan.out.epochs():
            row.note(metrics)
        row.clips_per_s = row.epoch_s = row.start_s = None
        stored = state_of(plan.out)
        row.state = stored if stored in OVER else row.waiting
        return row

    @property
    def waiting(self) -> State:
        """Its state while no process works on it; what an earlier run failed at is tried again."""
        return "unfinished" if self.epochs_done else "not started"

    def note(self, metrics: dict[str, Any]) -> None:
        """Note one more epoch. The start of its process (packages, kernels, features) is told from the epoch itself."""
        now = time.monotonic()
        since_s = now - self.noted
        known = metrics.get("train_s") and metrics["train_s"] + metrics.get("xvalid_s", 0.0)
        self.epoch_s = min(known or since_s, since_s)
        if self.start_s is None:
            self.start_s = since_s - self.epoch_s
        self.noted = now
        self.epochs_done = metrics["epoch"] + 1
        for name, f1 in metrics["xvalid_f1"].items():
            self.best[name] = max(f1, self.best.get(name, 0.0))
        self.clips_per_s = metrics["clips_per_s"]

    def start(self) -> None:
        """Note that a process has begun to work on the trial."""
        self.state, self.started = "running", time.monotonic()
        self.noted, self.start_s, self.epochs_at_start = self.started, None, self.epochs_done

    @property
    def left_s(self) -> float | None:
        """Return the seconds to its end at its own pace."""
        done = self.epochs_done - self.epochs_at_start
        if self.state != "running" or not done:
            return None
        return (self.epochs - self.epochs_done) * (time.monotonic() - self.started) / done


class TrialProgress(Callback):
    """Tune's hooks; keeps a row for every trial and the run's status."""

    def __init__(
        self,
        status: RunStatus,
        trials: list[TrialPlan],
        say: Callable[[str], None],
        *,
        epoch_lines: bool = True,
    ) -> None:
        self.status, self.say, self.epoch_lines = status, say, epoch_lines
        self.rows = {trial.name: Row.of(trial) for trial in trials}

    def __getstate__(self) -> dict[str, Any]:
        # Tune writes its callbacks down to restore them; our runs resume from the trials' own folders.
        return {}

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Tune's hook: a trial's process starts, also after another one died."""
        self._row(trial).start()
        self._note()

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Tune's hook: one report of one trial."""
        row = self._row(trial)
        if "failed" in result:
            row.state = "failed"
            self.say(f"{row.plan.label:24s} failed: {result['failed']}")
        elif "epoch" in result:
            row.note(result)
            if self.epoch_lines:
                self.say(self._epoch_line(row, result))
        self._note(last_report=time.time())

    def on_trial_recover(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Tune's hook: a trial's process died and another one takes over."""
        row = self._row(trial)
        row.state = row.waiting
        self.say(
            f"{row.plan.label:24s} its process died; another one goes on from epoch {row.epochs_done}"
        )

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Tune's hook: a trial failed in every process that tried."""
        row = self._row(trial)
        row.state = "failed"
        reason = _reason(trial)
        self.say(f"{row.plan.label:24s} failed: {reason}")
        with self._others_go_on():
            # A reason that the last process wrote stays.
            if row.plan.out.failure() is None:
                row.plan.out.note_failure(reason)
        self._note()

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Tune's hook: a trial's function returned, or the scheduler stopped it early."""
        row = self._row(trial)
        if row.state == "failed":
            return
        row.state = "finished" if row.plan.out.finished else "stopped"
        if row.state == "stopped":
            with self._others_go_on():
                row.plan.out.note_stopped(row.epochs_done)
            self.say(
                f"{row.plan.label:24s} stopped early after epoch {row.epochs_done}/{row.epochs}"
            )
        elif untrained := [name for name, f1 in row.best.items() if f1 == 0]:
            self.say(f"{row.plan.label:24s} {NOT_TRAINED} ({', '.join(untrained)})")
        self._note()

    def counts(self) -> Counter[State]:
        """Return how many trials are in each state."""
        return Counter(row.state for row in self.rows.values())

    def overall(self) -> str:
        """Return what is done of the whole run, and how long the rest takes."""
        left_s = self._left_s()
        eta = "?" if left_s is None else clock(left_s)
        return f"{self.counts()['finished']}/{len(self.rows)} trials, {self._share_done():.0%}, {eta} left"

    def _left_s(self) -> float | None:
        """Return the seconds to the end of the run, None before the first epoch is over.

        Epochs count at the pace of those that ran, and processes that are still to start at that of those that
        started: the first minute of a run, which no later epoch repeats, says little about an hour.
        """
        known = [row for row in self.rows.values() if row.epoch_s is not None]
        if not known:
            return None
        epoch_s = sum(row.epoch_s or 0.0 for row in known) / len(known)
        starts = [row.start_s for row in known if row.start_s is not None]
        waiting = sum(row.state in ("not started", "unfinished") for row in self.rows.values())
        work_s = self._epochs_left() * epoch_s + waiting * sum(starts) / max(len(starts), 1)
        return work_s / max(self.counts()["running"], 1)

    @contextmanager
    def _others_go_on(self) -> Iterator[None]:
        """Catch a storage error in a hook: it would end the whole run, where only one trial has failed."""
        try:
            yield
        except (OSError, ReadDeniedError) as error:
            self.say(f"warning: {error}")

    def _epoch_line(self, row: Row, result: dict[str, Any]) -> str:
        f1 = ", ".join(f"{name} {value:.3f}" for name, value in result["xvalid_f1"].items())
        return (
            f"{row.plan.label:24s} epoch {row.epochs_done:3d}/{row.epochs}"
            f"  loss {result['loss']:.4f}  x-valid F1 {f1}  {result['clips_per_s']:.0f} clips/s"
            f"  | {self.overall()}"
        )

    def _row(self, trial: Trial) -> Row:
        return self.rows[trial.config["job"]["name"]]

    def _epochs_left(self) -> int:
        # Trials that will not run any more do not count as left.
        over = ("finished", "failed", "stopped")
        return sum(r.epochs - r.epochs_done for r in self.rows.values() if r.state not in over)

    def _share_done(self) -> float:
        return 1 - self._epochs_left() / sum(row.epochs for row in self.rows.values())

    def _note(self, **about: Any) -> None:
        """Keep this for the next heartbeat."""
        progress = round(self._share_done(), 4)
        self.status.note(progress=progress, trials=dict(self.counts()), **about)


def _reason(trial: Trial) -> str:
    """Return the reason why Tune gave the trial up."""
    error = trial.get_pickled_error()
    if isinstance(error, RayTaskError):
        return f"{type(error.cause).__name__}: {error.cause}"
    return DIED
