"""A line per epoch of every trial, with what is done and when the rest will be."""

import time
from collections.abc import Callable
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial

from raysed.data.folder import Folder
from raysed.tune.plan import TrialPlan
from raysed.tune.status import write_status

_HEARTBEAT_S = 10.0


class TrialProgress(Callback):
    """Prints progress and keeps the run's heartbeat."""

    def __init__(self, run: Folder, trials: list[TrialPlan], say: Callable[[str], None]) -> None:
        self.run, self.say = run, say
        self.trials = {trial.name: trial for trial in trials}
        self.total_epochs = sum(t.training.trial.schedule.epochs for t in trials)
        self.epochs_done = {
            t.name: len((t.out.read("progress.jsonl") or b"").splitlines()) for t in trials
        }
        self.started, self.epochs_at_start = time.monotonic(), sum(self.epochs_done.values())
        self.heartbeat = 0.0

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Tune's hook: one report of one trial."""
        plan = self.trials[trial.config["job"]["name"]]
        if "failed" in result:
            self.say(f"{plan.label}: failed: {result['failed']}")
            return
        if "epoch" not in result:
            return
        self.epochs_done[plan.name] = result["epoch"] + 1
        f1 = ", ".join(f"{name} {value:.3f}" for name, value in result["xvalid_f1"].items())
        self.say(
            f"{plan.label:24s} epoch {result['epoch'] + 1:3d}/{plan.training.trial.schedule.epochs}"
            f"  loss {result['loss']:.4f}  x-valid F1 {f1}  {result['clips_per_s']:.0f} clips/s"
            f"  | {self._overall()}"
        )
        self._beat()

    def _overall(self) -> str:
        done = sum(self.epochs_done.values())
        finished = sum(t.finished for t in self.trials.values())
        pace = (done - self.epochs_at_start) / (time.monotonic() - self.started)
        eta_s = (self.total_epochs - done) / pace
        return f"{finished}/{len(self.trials)} trials, {done / self.total_epochs:.0%}, {_clock(eta_s)} left"

    def _beat(self) -> None:
        if time.monotonic() - self.heartbeat > _HEARTBEAT_S:
            self.heartbeat = time.monotonic()
            done = sum(self.epochs_done.values()) / self.total_epochs
            write_status(self.run, "running", progress=round(done, 4))


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}h{minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m{seconds:02d}s"
