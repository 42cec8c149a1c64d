"""Early stopping of a search by ASHA (Li et al. 2020, arXiv:1810.05934), which a resumed run continues.

A trial reaching a rung goes on if its x-valid F1 (mean over its x-valid sets) is among the best of those
that were there before. So decisions depend on the order in which trials run; a trial's own result does not.
"""

from statistics import fmean
from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from raysed.config.search import Search
from raysed.run.trial_plan import TrialPlan

_NO_CONTROLLER: Any = None
"""Stands in for Tune's controller, which ASHA does not use."""


class SearchScheduler(ASHAScheduler):
    """Tune's ASHA over epochs."""

    def __init__(self, search: Search, trials: list[TrialPlan]) -> None:
        self.trials = {trial.name: trial for trial in trials}
        longest = max(trial.training.trial.schedule.epochs for trial in trials)
        assert search.grace_epochs <= longest, "raysed.tune.preparation refuses such a search"
        super().__init__(
            time_attr="epochs",
            metric="f1",
            mode="max",
            max_t=longest,
            grace_period=search.grace_epochs,
            reduction_factor=search.reduction_factor,
            stop_last_trials=False,
        )
        for trial in trials:
            if trial.is_over:
                stand_in: Any = SimpleNamespace(trial_id=trial.name)
                super().on_trial_add(_NO_CONTROLLER, stand_in)
                self._replay(stand_in, trial)

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Tune's hook: a new trial, or one that goes on; what it has reached counts."""
        super().on_trial_add(tune_controller, trial)
        self._replay(trial, self.trials[trial.config["job"]["name"]])

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Tune's hook: whether to go on after an epoch. After its last one a trial is evaluated."""
        plan = self.trials[trial.config["job"]["name"]]
        if "epoch" not in result or result["epoch"] + 1 >= plan.training.trial.schedule.epochs:
            return TrialScheduler.CONTINUE
        return super().on_trial_result(tune_controller, trial, _reached(result))

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Tune's hook: ASHA has nothing to learn from a trial's end."""

    def _replay(self, trial: Trial, plan: TrialPlan) -> None:
        for metrics in plan.out.epochs():
            super().on_trial_result(_NO_CONTROLLER, trial, _reached(metrics))


def _reached(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return what ASHA reads of an epoch, as it is stored or as Tune flattens it."""
    stored = metrics.get("xvalid_f1", {})
    flat = {key: value for key, value in metrics.items() if key.startswith("xvalid_f1/")}
    return {"epochs": metrics["epoch"] + 1, "f1": fmean({**stored, **flat}.values())}
