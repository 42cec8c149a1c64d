"""An ablation: cells of tables, resolved to the distinct trainings behind them.

A cell is a training and the x-valid set that selects its epoch. Cells that differ only in the x-valid
set share one training, so the paper's 21 configurations are 16 trainings. A search draws its cells.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from raysed.config.base import Config, Name, content_hash
from raysed.config.data_job import DataJob, RecordedSet, SyntheticSet
from raysed.config.layers import merge, read_layers
from raysed.config.reader import ConfigError, KeyPath, Places, place_of, read_config, validate
from raysed.config.search import Search, draw_cells
from raysed.config.table import Cell, Claim, Comparison, Contrast
from raysed.config.trial import SUBSETS, Trial


class Resources(Config):
    """What one trial takes."""

    workers: int = Field(1, ge=1)
    """Ranks of a trial; more than one trains with DDP."""
    cpus_per_worker: int = Field(1, ge=1)
    """Also torch's thread count."""
    gpus_per_worker: Annotated[float, Field(ge=0)] | Literal["auto"] = 0.0
    """Fractions put several trials on a GPU; auto uses GPUs where the cluster has any."""

    @model_validator(mode="after")
    def _whole_gpus_for_ranks(self) -> "Resources":
        if self.workers > 1 and self.gpus_per_worker not in (0.0, 1.0, "auto"):
            raise ValueError(
                f"gpus_per_worker {self.gpus_per_worker} with {self.workers} workers: NCCL needs one"
                " whole GPU per rank (fractions are for trials of one worker)"
            )
        return self

    @property
    def gpus(self) -> float:
        """GPUs of a rank, once `auto` is settled (raysed.tune.resources)."""
        assert not isinstance(self.gpus_per_worker, str)
        return self.gpus_per_worker


class Space(Config):
    """What a `tune_spaces/*.yaml` holds."""

    name: Name = Field(description="For people and messages.")
    data_job: str
    """The data job's YAML, relative to the working directory."""
    run: str
    """Folder that receives the run; `--run` overrides it."""
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    """Every cell is trained with each of these."""
    base: dict[str, Any]
    """The Trial that the cells start from; x-valid sets are added by the cells (a search names its own here)."""
    cells: tuple[Cell, ...] = Field((), description="What is compared; or else a `search`.")
    change: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """What differs further in single cells, by their id: for a space that extends another one."""
    search: Search | None = Field(None, description="Draws the cells at random; or else `cells`.")
    contrasts: tuple[Contrast, ...] = Field((), description="Planned differences, judged together.")
    claims: tuple[Claim, ...] = ()
    """What the report judges besides the contrasts."""
    resources: Resources = Field(Resources(), description="What one trial takes.")
    bootstrap_draws: int = Field(10_000, ge=100, description="Behind every interval.")

    @field_validator("cells", "claims")
    @classmethod
    def _ids_are_unique(cls, items: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        ids = [item.id for item in items]
        if repeated := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"two {info.field_name} have the id {', '.join(repeated)}")
        return items

    @field_validator("seeds")
    @classmethod
    def _seeds_are_apart(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise ValueError(f"given twice in {list(seeds)}")
        return seeds

    @model_validator(mode="after")
    def _cells_or_search(self) -> "Space":
        if bool(self.cells) == (self.search is not None):
            raise ValueError("give either cells or a search" + (", not both" if self.cells else ""))
        data = self.base.get("data")
        xvalid = data.get("xvalid") if isinstance(data, dict) else None
        if self.cells and xvalid is not None:
            raise ValueError(
                "base.data.xvalid: each cell names its own x-valid set; leave it out here"
            )
        if self.search and not (isinstance(xvalid, list) and len(xvalid) == 1):
            raise ValueError(
                f"base.data.xvalid: a search needs the one set that selects its epochs, given {xvalid}"
            )
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


def read_space(path: str | Path, *, unset: list[str] | None = None) -> ResolvedSpace:
    """Read and resolve a space. Raises ConfigError with every fault of the space, its cells and its job.

    With `unset`, lines on environment variables that the job misses go there, as for `read_config`.
    """
    content, places = read_layers(path)
    space = validate(content, Space, source=str(path), places=places)
    job = read_config(space.data_job, DataJob, unset=unset)
    if space.search:
        drawn = draw_cells(space.search, space.base["data"]["xvalid"][0])
        space = space.model_copy(update={"cells": drawn})
    trials: list[Trial] = []
    # By what is wrong: a fault of the base is one fault, not one of every cell.
    faults: dict[str, list[str]] = {}
    for index, cell in enumerate(space.cells):
        try:
            trials.append(_cell_trial(space, index, str(path), places))
            place = place_of(("search",) if space.search else ("cells", index), places)
            found = [f"{place}: cell {cell.id}: {f}" for f in _unfit_sets(trials[-1], job)]
        except ConfigError as error:
            found = error.faults
        for fault in found:
            faults.setdefault(fault, []).append(cell.id)
    about_cells = [
        fault if f" cell {cells[0]}: " in fault else f"{fault} ({_these(cells)})"
        for fault, cells in faults.items()
    ]
    about_cells += _unknown_cells(space, trials, places)
    if about_cells:
        raise ConfigError(about_cells)
    return ResolvedSpace(space, job, _distinct_trainings(space, trials))


def _these(cells: list[str]) -> str:
    more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
    return f"cell {cells[0]}{more}"


def _unknown_cells(space: Space, trials: list[Trial], places: Places) -> list[str]:
    """Contrasts, claims and changes of cells that do not exist, and claims on sets that nothing speaks of."""
    ids = [cell.id for cell in space.cells]
    named: list[tuple[KeyPath, str, Contrast | Comparison]] = [
        (("contrasts", i), "contrasts", contrast) for i, contrast in enumerate(space.contrasts)
    ]
    for i, claim in enumerate(space.claims):
        named += [
            (("claims", i, "comparisons", j), f"claim {claim.id}", comparison)
            for j, comparison in enumerate(claim.comparisons)
        ]
    faults = [
        f"{place_of(key, places)}: {where}: no cell has the id {cell}"
        for key, where, pair in named
        for cell in (pair.cell, pair.against)
        if cell not in ids
    ]
    faults += [
        f"{place_of(key, places)}: {where}: {pair.cell} is compared with itself"
        for key, where, pair in named
        if pair.cell == pair.against
    ]
    faults += [
        f"{place_of(('change', cell), places)}: change: no cell has the id {cell}"
        for cell in space.change
        if cell not in ids
    ]
    known = {name for cell in space.cells for name in cell.published}
    known |= {name for trial in trials for name in trial.data.evaluation}
    return faults + [
        f"{place_of(('claims', i), places)}: claim {claim.id}: evaluation {claim.evaluation} is no"
        f" set that a cell is evaluated on or has published values of ({', '.join(sorted(known))})"
        for i, claim in enumerate(space.claims)
        if claim.evaluation not in known
    ]


def _cell_trial(space: Space, index: int, path: str, places: Places) -> Trial:
    cell = space.cells[index]
    merged = merge(merge(space.base, cell.set), space.change.get(cell.id, {}))
    data = merged.get("data")
    if isinstance(data, dict):
        merged["data"] = {**data, "xvalid": [cell.xvalid]}
    # A fault is shown where the value stands: in the cell where it sets it, else in the base.
    placed = _below(("base",), places)
    placed[()] = place_of(("search",) if space.search else ("cells", index), places)
    for key in space.search.parameters if space.search else ():
        placed[tuple(key.split("."))] = place_of(("search", "parameters", key), places)
    placed |= _below(("cells", index, "set"), places) | _below(("change", cell.id), places)
    return validate(merged, Trial, source=path, places=placed)


def _below(prefix: KeyPath, places: Places) -> Places:
    """The places of the keys under `prefix`, without it."""
    start = len(prefix)
    return {
        key[start:]: place
        for key, place in places.items()
        if key[:start] == prefix and len(key) > start
    }


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
    if trial.reads_waveforms and not job.features.waveforms:
        faults.append(
            "teacher.noise_domain is waveform, but the data sets hold mels only: set"
            f" features.waveforms: true in the data job {job.name}"
        )
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
