"""The trials of a run in the trackers that a space names, from what stands in their folders.

One process writes, the driver. It writes the epochs of a trial's own record that a tracker lacks, so a run that was
killed, or begun without a tracker, is made whole by the same command. A tracker that fails stops no training.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from ray.tune import Callback
from ray.tune.experiment import Trial

from raysed.config.space import Space
from raysed.run.trial_plan import TrialPlan
from raysed.run.trial_state import OVER, state_of
from raysed.storage.folder import Folder
from raysed.training.tensorboard import scalars
from raysed.tune.trackers import TRACKERS


class Run(Protocol):
    """An open run of a tracker."""

    epochs: int

    def log(self, metrics: dict[str, float]) -> None: ...  # noqa: D102
    def end(self, state: str) -> None: ...  # noqa: D102


class Tracking(Callback):
    """Tune's hooks; a context manager, which first writes what earlier runs left, and closes what is open."""

    def __init__(
        self, space: Space, run: Folder, trials: Sequence[TrialPlan], say: Callable[[str], None]
    ) -> None:
        self.space, self.run, self.say = space, run, say
        self.plans = {trial.name: trial for trial in trials}
        self.trackers: dict[str, Any] = {}
        self.open: dict[tuple[str, str], Run] = {}
        self.told: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        # Tune writes its callbacks down to restore them; our runs resume from the trials' own folders.
        return {}

    def __enter__(self) -> "Tracking":
        for plan in self.plans.values():
            if self.space.trackers and plan.is_over:
                self._end(plan)
        return self

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Tune's hook: one report of one trial."""
        self._catch_up(self._plan(trial))

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Tune's hook: a trial's function returned, or the scheduler stopped it early."""
        self._end(self._plan(trial))

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """Tune's hook: a trial failed in every process that tried."""
        self._end(self._plan(trial))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for tracker, name in [*self.open]:
            with self._training_goes_on(tracker):
                self.open.pop((tracker, name)).end("KILLED")

    def _plan(self, trial: Trial) -> TrialPlan:
        return self.plans[trial.config["job"]["name"]]

    def _catch_up(self, plan: TrialPlan) -> None:
        """Write the epochs that each tracker lacks."""
        for tracker in self.space.trackers:
            with self._training_goes_on(tracker):
                self._write(tracker, plan)

    def _end(self, plan: TrialPlan) -> None:
        """Write the rest of a trial and close its runs; what is over is not looked at again."""
        for tracker in self.space.trackers:
            about = plan.out.tracked()
            state = state_of(plan.out)
            if state in OVER and tracker in about.get("complete", []):
                continue
            with self._training_goes_on(tracker):
                self._write(tracker, plan)
                ending = {"failed": "FAILED"} | dict.fromkeys(OVER, "FINISHED")
                self.open.pop((tracker, plan.name)).end(ending.get(state, "KILLED"))
                if state in OVER:
                    about = plan.out.tracked()
                    complete = [*about.get("complete", []), tracker]
                    plan.out.note_tracked({**about, "complete": complete})

    def _write(self, tracker: str, plan: TrialPlan) -> None:
        key = (tracker, plan.name)
        if key not in self.open:
            self.open[key] = self._opened(tracker, plan)
        run = self.open.pop(key)
        for metrics in plan.out.epochs()[run.epochs :]:
            run.log(dict(scalars(metrics)))
        self.open[key] = run  # one that failed is opened anew

    def _opened(self, tracker: str, plan: TrialPlan) -> Run:
        if tracker not in self.trackers:
            place = str(Path(self.run.url).absolute()) if self.run.is_local else None
            self.trackers[tracker] = TRACKERS[tracker](place, self.space.name)
        about = plan.out.tracked()
        if "id" not in about:
            about = {**about, "id": secrets.token_hex(8)}
            plan.out.note_tracked(about)
        training = plan.training
        config = training.trial.model_dump(mode="json")
        config |= {"seed": plan.seed, "cells": list(training.cells), "trial": plan.name}
        return self.trackers[tracker].open(about["id"], plan.label, config)

    @contextmanager
    def _training_goes_on(self, tracker: str) -> Iterator[None]:
        """Catch whatever a tracker raises and tell it once: the next epoch tries again, and so does the next run."""
        try:
            yield
        except Exception as error:
            if tracker not in self.told:
                self.say(f"warning: {tracker}: {type(error).__name__}: {error}")
            self.told.add(tracker)
