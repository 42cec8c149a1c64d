"""The one vocabulary of how far a trial is, read from its folder."""

from dataclasses import dataclass
from typing import Literal

from raysed.run.folders import LOG, TrialFolder
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder

State = Literal["not started", "unfinished", "running", "stopped", "failed", "finished"]
"""`running` is known to the driver alone: to every other reader such a trial is unfinished."""
OVER: tuple[State, ...] = ("finished", "stopped")
"""The next run leaves these alone."""
MORE_MEMORY = (
    "let fewer trials train at once (a larger resources.cpus_per_worker), make their batches smaller"
    " (shares), or use a machine with more memory"
)
DIED = (
    "its process died without a word (killed, or out of memory); see Ray's logs. If memory ran out,"
    f" {MORE_MEMORY}"
)
_LAST_LINES = 8


@dataclass(frozen=True)
class Standing:
    """The state of one training with one seed."""

    name: str
    """The name of its folder."""
    state: State
    note: str = ""
    """The reason of a failure, or the epochs so far and in all."""
    epochs: int = 0
    """The epochs so far, where it is not finished."""

    @property
    def brief(self) -> str:
        """The words in a table's cell instead of a seed's value: `failed`, `stopped`, `epoch 12` or `-`."""
        if self.state == "unfinished":
            return f"epoch {self.epochs}"
        return "-" if self.state == "not started" else self.state


def state_of(trial: TrialFolder) -> State:
    """Return the state of a trial. A failed one is tried again by the next run."""
    if trial.finished:
        return "finished"
    if trial.stopped:
        return "stopped"
    if trial.failure() is not None:
        return "failed"
    return "unfinished" if trial.epochs() else "not started"


def standing_of(trial: TrialFolder, name: str, epochs: int | None) -> Standing:
    """Return the state of a trial of so many planned epochs, with its note."""
    state = state_of(trial)
    if state in ("finished", "not started"):
        return Standing(name, state)
    if state == "failed" and (failure := trial.failure()):
        return Standing(name, state, failure.reason)
    so_far = len(trial.epochs())
    note = f"epoch {so_far}" + (f"/{epochs}" if epochs else "")
    return Standing(name, state, note, so_far)


def read_standings(run: Folder, plan: RunPlan) -> dict[str, Standing]:
    """Return the standing of every trial of the plan, by its name."""
    return {
        name: standing_of(TrialFolder.of(run, training.id, seed), name, training.epochs)
        for training in plan.trainings
        for seed, name in zip(
            plan.seeds_of(training.id), plan.trial_names(training.id), strict=True
        )
    }


def failure_lines(trial: TrialFolder, label: str) -> list[str]:
    """Return why a trial failed, then the last lines of its log, or of the traceback where it has none."""
    failure, log = trial.failure(), trial.log()
    reason = failure.reason if failure else "see above; its folder says nothing"
    text = log or (failure.traceback if failure else "")
    source = LOG if log else "traceback"
    lines = text.rstrip().splitlines()[-_LAST_LINES:]
    head = f"failed: {label} ({trial.url}): {reason}"
    return [head, *(f"  {source} | {line}" for line in lines)]
