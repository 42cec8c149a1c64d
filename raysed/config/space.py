"""An ablation: cells of tables, resolved to the distinct trainings behind them.

A cell is a training and the x-valid set that selects its epoch. Cells that differ only in the x-valid
set share one training, so the paper's 21 configurations are 16 trainings.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from raysed.config.base import Config, Name, content_hash
from raysed.config.data_job import DataJob, RecordedSet, SyntheticSet
from raysed.config.reader import ConfigError, KeyPath, read_config, read_yaml, validate
from raysed.config.trial import SUBSETS, Trial


class Metrics(Config):
    """Published values of one cell, as fractions."""

    event_f1: float | None = Field(None, ge=0, le=1)
    psds: float | None = Field(None, ge=0, le=1)


class Cell(Config):
    """One column of one table."""

    id: Name
    table: str
    column: str
    set: dict[str, Any] = Field(default_factory=dict)
    """What differs from `base`, in the form of a Trial."""
    xvalid: Name
    """The x-valid set that selects this cell's epoch."""
    published: dict[Name, Metrics] = Field(default_factory=dict)
    """Published values by evaluation set."""


class Contrast(Config):
    """A difference that the report judges: metric of `cell` minus metric of `against`."""

    cell: Name
    against: Name


class Resources(Config):
    """What one trial takes."""

    workers: int = Field(1, ge=1)
    """Ranks of a trial; more than one trains with DDP."""
    cpus_per_worker: int = Field(1, ge=1)
    """Also torch's thread count."""
    gpus_per_worker: float = Field(0.0, ge=0)
    """Fractions put several trials on a GPU."""

    @model_validator(mode="after")
    def _whole_gpus_for_ranks(self) -> "Resources":
        if self.workers > 1 and self.gpus_per_worker not in (0.0, 1.0):
            raise ValueError(
                f"gpus_per_worker {self.gpus_per_worker} with {self.workers} workers: NCCL needs one"
                " whole GPU per rank (fractions are for trials of one worker)"
            )
        return self


class Space(Config):
    """What a `tune_spaces/*.yaml` holds."""

    name: Name
    data_job: str
    """The data job's YAML, relative to the working directory."""
    run: str
    """Folder that receives the run; `--run` overrides it."""
    seeds: tuple[int, ...] = Field(min_length=1)
    """Every cell is trained with each of these."""
    base: dict[str, Any]
    """The Trial that the cells start from; x-valid sets are added by the cells."""
    cells: tuple[Cell, ...] = Field(min_length=1)
    contrasts: tuple[Contrast, ...] = ()
    resources: Resources = Resources()
    bootstrap_draws: int = Field(10_000, ge=100)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Space":
        ids = [cell.id for cell in self.cells]
        if repeated := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"cells: two cells have the id {', '.join(repeated)}")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds: given twice in {list(self.seeds)}")
        if min(self.seeds) < 0:
            raise ValueError(f"seeds: {min(self.seeds)} is negative")
        if "xvalid" in (self.base.get("data") or {}):
            raise ValueError(
                "base.data.xvalid: each cell names its own x-valid set; leave it out here"
            )
        for contrast in self.contrasts:
            for key in (contrast.cell, contrast.against):
                if key not in ids:
                    raise ValueError(f"contrasts: no cell has the id {key}")
        return self


@dataclass(frozen=True)
class Training:
    """One distinct training: its trial scores every set that its cells ask for."""

    id: str
    trial: Trial
    cells: dict[str, tuple[str, ...]]
    """The evaluation sets of each of its cells, by the cell's id."""


@dataclass(frozen=True)
class ResolvedSpace:
    """A space with its job and its distinct trainings, checked against each other."""

    space: Space
    job: DataJob
    trainings: tuple[Training, ...]

    def training_of(self, cell_id: str) -> Training:
        """The training behind a cell."""
        return next(t for t in self.trainings if cell_id in t.cells)

    def data_sets(self) -> tuple[str, ...]:
        """Names of the data sets that the trainings use, in the job's order."""
        used: set[str] = set()
        for training in self.trainings:
            used |= set(training.trial.set_names())
        return tuple(name for name in self.job.sets if name in used)


def read_space(path: str | Path) -> ResolvedSpace:
    """Read and resolve a space. Raises ConfigError with every fault of the space, its cells and its job."""
    space = read_config(path, Space)
    _, lines = read_yaml(path)
    job = read_config(space.data_job, DataJob)
    trials: list[Trial] = []
    faults: list[str] = []
    for index, cell in enumerate(space.cells):
        try:
            trial = _cell_trial(space, index, str(path), lines)
        except ConfigError as error:
            faults += [f"{fault} (cell {cell.id})" for fault in error.faults]
            continue
        line = lines.get(("cells", index), "?")
        faults += [f"{path}:{line}: cell {cell.id}: {f}" for f in _unfit_sets(trial, job)]
        trials.append(trial)
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    return ResolvedSpace(space, job, _distinct_trainings(space, trials))


def _cell_trial(space: Space, index: int, path: str, lines: dict[KeyPath, int]) -> Trial:
    cell = space.cells[index]
    merged = merge(space.base, cell.set)
    data = merged.get("data")
    if isinstance(data, dict):
        merged["data"] = {**data, "xvalid": [cell.xvalid]}
    # A fault is shown where the value stands: in the cell where it sets it, else in the base.
    placed = {key[1:]: line for key, line in lines.items() if key[:1] == ("base",)}
    prefix = ("cells", index, "set")
    placed |= {key[3:]: line for key, line in lines.items() if key[:3] == prefix}
    placed[()] = lines.get(("cells", index), 1)
    return validate(merged, Trial, source=path, lines=placed)


def merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it, mapping by mapping; a list or a null replaces."""
    merged = dict(base)
    for key, value in change.items():
        below = merged.get(key)
        merged[key] = (
            merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return merged


def _distinct_trainings(space: Space, trials: list[Trial]) -> tuple[Training, ...]:
    """Cells grouped by what decides their weights, in order of first appearance."""
    groups: dict[str, list[int]] = {}
    for index, trial in enumerate(trials):
        groups.setdefault(content_hash(trial.training_identity(), 8), []).append(index)
    trainings = []
    for training_id, members in groups.items():
        first = trials[members[0]]
        scored = {
            key: tuple(
                dict.fromkeys(name for i in members for name in getattr(trials[i].data, key))
            )
            for key in ("xvalid", "evaluation")
        }
        data = first.data.model_copy(update=scored)
        cells = {space.cells[i].id: trials[i].data.evaluation for i in members}
        trainings.append(Training(training_id, first.model_copy(update={"data": data}), cells))
    return tuple(trainings)


def _unfit_sets(trial: Trial, job: DataJob) -> list[str]:
    """Faults of a trial against its data job: unknown sets, sets without the labels they need."""
    wanted = [(f"data.{s}", getattr(trial.data, s), s) for s in SUBSETS if getattr(trial.data, s)]
    wanted += [("data.xvalid", name, "strong") for name in trial.data.xvalid]
    wanted += [("data.evaluation", name, "strong") for name in trial.data.evaluation]
    wanted += [("data.scaler", name, "any") for name in trial.data.scaler or ()]
    wanted += [("data.weak_xvalid", name, "weak") for name in [trial.data.weak_xvalid] if name]
    faults = [
        f"data.xvalid names {name}, which is trained on: it cannot choose the epoch"
        for name in trial.data.xvalid
        if name in trial.used_subsets().values()
    ]
    for key, name, role in wanted:
        if name not in job.sets:
            known = ", ".join(job.sets)
            faults.append(
                f"{key} names {name}, which the data job {job.name} lacks (it has {known})"
            )
        elif not _fits(job.sets[name], role):
            faults.append(f"{key} names {name}, which has no {role} labels")
    pooled = job.features.n_mels
    for _, frequency in trial.model.pooling:
        pooled //= frequency
    if job.features.n_frames < trial.model.time_pooling:
        faults.append(
            f"model.pooling leaves no output frame of the job's {job.features.n_frames} frames"
        )
    if pooled != 1:
        faults.append(
            f"model.pooling leaves {pooled} frequency bands of the job's {job.features.n_mels} mel bands;"
            " it must end at 1"
        )
    return faults


def _fits(data_set: RecordedSet | SyntheticSet, role: str) -> bool:
    subset = "synthetic" if isinstance(data_set, SyntheticSet) else data_set.subset
    strong = subset in ("synthetic", "validation", "eval")
    match role:
        case "synthetic" | "strong":
            return strong
        case "weak":
            return strong or subset == "weak"
    return True
