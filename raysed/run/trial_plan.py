"""The trials that a space asks for, each with its folder; nothing runs here."""

from dataclasses import dataclass

from raysed.config.space import ResolvedSpace, Training
from raysed.run.folders import TrialFolder, trial_name
from raysed.run.seed_looks import seeds_of_trainings
from raysed.run.trial_state import OVER, state_of
from raysed.storage.folder import Folder

_NAMED = 3
"""Cells that a trial is called by; a training may serve many."""


@dataclass(frozen=True)
class TrialPlan:
    """One training with one seed, and its folder."""

    training: Training
    seed: int
    out: TrialFolder

    @property
    def name(self) -> str:
        """The name of its folder."""
        return trial_name(self.training.id, self.seed)

    @property
    def label(self) -> str:
        """Its cells and seed, as a person calls it."""
        names = list(self.training.cells)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"{'/'.join(names[:_NAMED])}{more} seed {self.seed}"

    @property
    def is_over(self) -> bool:
        """True where the next run leaves it alone: it has its result, or was stopped early."""
        return state_of(self.out) in OVER


def plan_trials(resolved: ResolvedSpace, run: Folder) -> list[TrialPlan]:
    """Return trainings x seeds, seed by seed, so that a run cut short has whole grids of the first seeds. Where seeds
    grow, those that are decided on.
    """
    seeds_of = seeds_of_trainings(resolved, run)
    return [t for t in every_trial(resolved, run) if t.seed in seeds_of[t.training.id]]


def every_trial(resolved: ResolvedSpace, run: Folder) -> list[TrialPlan]:
    """Return trainings x all the seeds that they may get, seed by seed."""
    return [
        TrialPlan(training, seed, TrialFolder.of(run, training.id, seed))
        for seed in resolved.space.all_seeds
        for training in resolved.trainings
    ]
