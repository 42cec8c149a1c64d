"""The preparation of a run: its trials, its data sets, and all that stands in its way.

`raysed tune` refuses what is found here, `raysed tune --plan` prints it. Nothing is built or trained, and
Ray is not needed; what depends on the cluster's nodes is in raysed.tune.resources.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raysed.config.fault import Fault
from raysed.config.search import Search
from raysed.config.space import ResolvedSpace
from raysed.config.trial import Trial
from raysed.data.build.dataset_plan import DatasetPlan
from raysed.data.build.silent_classes import silence_remark
from raysed.evaluation.postprocessing.setting_search import FOLDS
from raysed.model.network import make_network
from raysed.report.seen_sets import seen_lines
from raysed.run.ownership import MadeBy, ownership_faults, planned_data
from raysed.run.run_plan import RunPlan
from raysed.run.trial_plan import TrialPlan, plan_trials
from raysed.storage.folder import Folder
from raysed.tune.sets import ListedSet, encoder_faults, fault_lines, list_sets
from raysed.tune.space_groups import drawn_counts, groups_faults, planned_names
from raysed.tune.trackers import tracking_faults

_ENOUGH = 10**9
"""Clips of a set that nothing is known of; why not is among the faults."""


@dataclass(frozen=True)
class Preparation:
    """A space and its run folder before any work."""

    trials: list[TrialPlan]
    listed: list[ListedSet]
    made_by: MadeBy
    faults: list[str]
    """The reasons why the run cannot start, whatever the cluster; a line each."""
    notes: list[str]
    """Facts of the data that a person should know, though nothing is in the way."""

    @property
    def left(self) -> list[TrialPlan]:
        """The trials that have neither their result nor been stopped."""
        return [trial for trial in self.trials if not trial.is_over]

    @property
    def planned(self) -> list[DatasetPlan]:
        """The data sets that can be built, or are there."""
        return [entry.planned for entry in self.listed if entry.planned is not None]

    @property
    def warnings(self) -> list[str]:
        """Warnings about the sources of the data sets, which a build says, too."""
        return list(dict.fromkeys(line for each in self.planned for line in each.warnings))

    @property
    def all_clips(self) -> dict[str, int]:
        """Clips by data set, enough of those that nothing is known of."""
        return _clips_of(self.listed)

    @property
    def clips(self) -> dict[str, int]:
        """Clips by data set, as far as they are known."""
        return {entry.name: entry.clips for entry in self.listed if not entry.unknown}


def prepare(
    resolved: ResolvedSpace,
    run: Folder,
    say: Callable[[str], None],
    unset: Sequence[Fault] = (),
    *,
    allow_changed: bool,
) -> Preparation:
    """Return what is known of a run and its faults, of which `unset` are the variables that its job misses.

    Plans every data set once; soundscapes that are still to be made are drawn (about 1 ms each), to count
    those that survive. `say` receives what `allow_changed` allows.
    """
    trials = plan_trials(resolved, run)
    listed = list_sets(resolved.job, resolved.data_sets(), unset)
    made_by = MadeBy(run, trials, allow_changed, say)
    planned = [entry.planned for entry in listed if entry.planned is not None]
    names = planned_names(resolved, planned)
    out_is_unset = any(fault.key == ("out",) for fault in unset)
    faults = [
        *map(str, unset),
        *encoder_faults(resolved.job, resolved.data_sets()),
        *fault_lines(entry for entry in listed if not _by_encoder(entry)),
        *training_faults(resolved, _clips_of(listed)),
        *fold_faults(resolved, _clips_of(listed) | drawn_counts(resolved, names)),
        *tuning_faults(resolved, planned[0].classes if planned else ()),
        *(network_faults(resolved, len(planned[0].classes)) if planned else ()),
        *groups_faults(resolved, run, names),
        *search_faults(resolved.space.search, trials),
        *tracking_faults(resolved.space, run),
        *place_faults(run),
        *([] if out_is_unset else disk_faults(listed, resolved.job.out)),
        *ownership_faults(run, resolved, made_by, planned_data(planned)),
    ]
    scored = {n for each in resolved.trainings for n in _scored(each.trial)}
    notes = [*filter(None, (silence_remark(each) for each in planned if each.name in scored))]
    notes += seen_lines(RunPlan.of(resolved, (), 1))
    return Preparation(trials, listed, made_by, faults, notes)


def _scored(trial: Trial) -> tuple[str, ...]:
    """Return the sets that choose epochs, and those that are evaluated."""
    return (*trial.data.xvalid, *trial.data.evaluation)


def _by_encoder(entry: ListedSet) -> bool:
    """Tell whether a set's encoder is what keeps it from being built, which is told for all sets together."""
    return (entry.fault or "").startswith("encoders.")


def _clips_of(listed: Sequence[ListedSet]) -> dict[str, int]:
    return {entry.name: _ENOUGH if entry.unknown else entry.clips for entry in listed}


def refuse(faults: Sequence[str]) -> None:
    """Raise ValueError with all faults of a run, if there are any."""
    if faults:
        raise ValueError("this space cannot run:\n  " + "\n  ".join(faults))


def training_faults(resolved: ResolvedSpace, clips: Mapping[str, int]) -> Iterator[str]:
    """Yield what cannot be trained with data sets of these many clips."""
    workers = resolved.space.resources.workers
    for training in resolved.trainings:
        trial, cells = training.trial, ", ".join(training.cells)
        if trial.precision == "tf32" and resolved.space.resources.gpus_per_worker == 0.0:
            yield (
                f"cell {cells}: precision tf32 is for GPUs, and its trials train on CPUs"
                " (resources.gpus_per_worker); give float32, or leave it out"
            )
        if trial.shares.total < workers:
            yield f"cell {cells}: {workers} workers for batches of {trial.shares.total} clips"
        for subset, name in trial.used_subsets().items():
            share = trial.shares.of(subset)
            if clips[name] < share:
                yield f"cell {cells}: shares.{subset} is {share}, but {name} holds {clips[name]} clips"
        for name in trial.set_names():
            if not clips[name]:
                yield f"cell {cells}: {name} holds no clips"


def fold_faults(resolved: ResolvedSpace, clips: Mapping[str, int]) -> Iterator[str]:
    """Yield the cells whose post-processing is to be cross-fitted on fewer clips than there are folds."""
    least = FOLDS if resolved.space.groups is None else 2  # of few groups each is a part
    for cell in resolved.space.cells:
        asked = cell.postprocessing
        if asked is None or asked.tuned_on != "evaluation":
            continue
        for name in resolved.training_of(cell.id).cells[cell.id]:
            if clips[name] < least:
                yield (
                    f"cell {cell.id}: postprocessing is cross-fitted on {least} parts, but {name} holds"
                    f" {clips[name]} {'clips' if resolved.space.groups is None else 'groups of clips'}"
                )


def tuning_faults(resolved: ResolvedSpace, classes: Sequence[str]) -> Iterator[str]:
    """Yield the cells whose post-processing is to be tuned on an x-valid set that annotates less than what is evaluated."""
    sets = resolved.job.sets
    for cell in resolved.space.cells:
        asked = cell.postprocessing
        if asked is None or cell.xvalid is None or not asked.is_tuned or asked.tuned_on != "xvalid":
            continue
        known = sets[cell.xvalid].annotates or classes
        for name in resolved.training_of(cell.id).cells[cell.id]:
            if missing := [c for c in sets[name].annotates or classes if c not in known]:
                yield (
                    f"cell {cell.id}: postprocessing is tuned on {cell.xvalid}, which does not annotate"
                    f" {', '.join(missing)} of {name}; give tuned_on: evaluation, or an x-valid set that does"
                )


def network_faults(resolved: ResolvedSpace, n_classes: int) -> Iterator[str]:
    """Yield the cells whose network of one's own cannot be made: each trial would fail, after the data sets are built."""
    for training in resolved.trainings:
        if training.trial.model.own is None:
            continue
        try:
            make_network(training.trial.model, n_classes)
        except Exception as error:  # what the user's class raises, whatever it is
            reason = (
                str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            )
            yield f"cell {', '.join(training.cells)}: {reason}"


def search_faults(search: Search | None, trials: Sequence[TrialPlan]) -> Iterator[str]:
    """Yield the fault of a search that decides later than its longest trial ends."""
    longest = max((trial.training.trial.schedule.epochs for trial in trials), default=0)
    if search and search.grace_epochs > longest:
        yield f"search.grace_epochs is {search.grace_epochs}, but the trials have {longest} epochs"


def disk_faults(listed: Sequence[ListedSet], out: str) -> list[str]:
    """Return why the data sets to build cannot be written to a local disk, or do not fit on it."""
    folder, wanted = Folder(out), sum(entry.bytes for entry in listed)
    if not folder.is_local or not wanted:
        return []
    free = shutil.disk_usage(_existing(folder)).free
    if wanted <= free:
        return place_faults(folder)
    return [
        f"data sets of about {wanted / 1e9:.1f} GB do not fit into {out}: {free / 1e9:.1f} GB are free"
    ]


def place_faults(folder: Folder) -> list[str]:
    """Return what is in the way of a local folder that is to be made or written to."""
    if not folder.is_local:
        return []
    existing = _existing(folder)
    if not existing.is_dir():
        return [f"{existing}: a file stands where a folder is to be"]
    return [] if os.access(existing, os.W_OK) else [f"{existing}: cannot be written"]


def _existing(folder: Folder) -> Path:
    """Return a local folder, or the nearest above it that is there."""
    place = Path(folder.url)
    return next(path for path in (place, *place.parents) if path.exists())
