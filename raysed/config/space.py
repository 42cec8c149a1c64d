"""An ablation: cells of tables, resolved to the distinct trainings behind them.

A cell is a training and the x-valid set that selects its epoch. Cells that differ only in the x-valid
set share one training, so the paper's 21 configurations are 16 trainings. A search draws its cells.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from raysed.config.base import Config, Name, content_hash, twins
from raysed.config.cell_places import base_places, cell_places
from raysed.config.clip_groups import absent_groups
from raysed.config.data_job import DataJob
from raysed.config.external import absent_lines, external_faults
from raysed.config.fault import ConfigError, Fault, Places, place_of
from raysed.config.fit import misfits, unknown_xvalid
from raysed.config.layers import merge, read_layers
from raysed.config.reader import check, read_config, validate
from raysed.config.search import Search, draw_cells
from raysed.config.seeds import GrowingSeeds, Seeds
from raysed.config.table import (
    DEFAULT_METRICS,
    KEPT_STEMS,
    Cell,
    Claim,
    Contrast,
    MetricName,
    tables_by_file,
)
from raysed.config.trial import Trial
from raysed.config.trial_resources import Resources
from raysed.config.unknown_cells import unknown_cells
from raysed.config.xvalid_names import with_xvalid_faults

_MOST_TRIALS = 100_000


class Space(Config):
    """The content of a `tune_spaces/*.yaml`."""

    name: Name = Field(description="For people and messages.")
    data_job: str
    """The data job's YAML, relative to the working directory."""
    run: str
    """Folder that receives the run; `--run` overrides it."""
    seeds: Seeds
    """Every cell is trained with each of these; or `{from: 3, to: 10}`: further ones where claims are open."""
    base: dict[str, Any]
    """The Trial that the cells start from; x-valid sets are added by the cells (a search names its own here)."""
    cells: tuple[Cell, ...] = Field((), description="What is compared; or else a `search`.")
    change: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Further changes of single cells, by their id; for a space that extends another one."""
    search: Search | None = Field(None, description="Draws the cells at random; or else `cells`.")
    contrasts: tuple[Contrast, ...] = Field((), description="Planned differences, judged together.")
    claims: tuple[Claim, ...] = ()
    """Claims that the report judges besides the contrasts."""
    metrics: tuple[MetricName, ...] = Field(DEFAULT_METRICS, min_length=1)
    """The metrics of the tables, the page and the contrasts; those of claims are added."""
    groups: str | None = None
    """A TSV with columns filename and group, of every evaluation clip: intervals draw groups, such as source recordings."""
    energy_baseline: Name | None = None
    """The cell whose energy is the baseline's in EW-PSDS (DCASE 2023): PSDS times its kWh over a cell's own; null
    computes none."""
    resources: Resources = Field(Resources(), description="What one trial takes.")
    trackers: tuple[Literal["wandb", "mlflow"], ...] = Field(
        (), description="Where epochs are written besides TensorBoard: [wandb, mlflow]."
    )
    bootstrap_draws: int = Field(10_000, ge=100, le=1_000_000, description="Behind every interval.")

    @field_validator("cells", "claims")
    @classmethod
    def _ids_are_unique(cls, items: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        ids = [item.id for item in items]
        if repeated := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"two {info.field_name} have the id {', '.join(repeated)}")
        return items

    @field_validator("cells")
    @classmethod
    def _files_are_apart(cls, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        if same := twins(dict.fromkeys(cell.id for cell in cells)):
            raise ValueError(f"the ids {', '.join(same)} differ in case only")
        for stem, tables in tables_by_file(cells).items():
            if len(tables) > 1:
                raise ValueError(
                    f"the tables {' and '.join(tables)} would both be tables/{stem}.md"
                )
            if stem in KEPT_STEMS:
                raise ValueError(
                    f"a table {tables[0]} would be tables/{stem}.md, which is another file"
                )
        return cells

    @field_validator("seeds")
    @classmethod
    def _seeds_are_apart(cls, seeds: Seeds) -> Seeds:
        if isinstance(seeds, tuple) and len(set(seeds)) != len(seeds):
            raise ValueError(f"given twice in {list(seeds)}")
        return seeds

    @model_validator(mode="after")
    def _cells_or_search(self) -> "Space":
        if bool(self.cells) == (self.search is not None):
            raise ValueError("give either cells or a search" + (", not both" if self.cells else ""))
        data = self.base.get("data")
        xvalid = data.get("xvalid") if isinstance(data, dict) else None
        configurations = self.search.samples if self.search else len(self.cells)
        if configurations * len(self.all_seeds) > _MOST_TRIALS:
            raise ValueError(
                f"{configurations:,} x {len(self.all_seeds):,} trials (cells x seeds) are more than {_MOST_TRIALS:,}"
            )
        if self.cells and xvalid is not None:
            raise ValueError(
                "base.data.xvalid: each cell names its own x-valid set; leave it out here"
            )
        if self.search and not (isinstance(xvalid, list) and len(xvalid) == 1):
            raise ValueError(
                f"base.data.xvalid: a search needs the one set that selects its epochs, given {xvalid}"
            )
        return self

    @model_validator(mode="after")
    def _growing_seeds_answer_something(self) -> "Space":
        if self.looks and (self.search or not (self.contrasts or self.claims)):
            what = "a search stops its trials by itself" if self.search else "there is none"
            raise ValueError(
                f"seeds: further ones go where claims or contrasts are open, and {what}; list the seeds"
            )
        return self

    @property
    def looks(self) -> tuple[int, ...]:
        """The number of seeds behind each look of a space whose seeds grow; else empty."""
        return self.seeds.looks if isinstance(self.seeds, GrowingSeeds) else ()

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """The seeds of a cell, as many as it may get."""
        return self.seeds if isinstance(self.seeds, tuple) else tuple(range(self.seeds.last))


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
    trials: tuple[Trial, ...] = ()
    """The trial of each cell, as written."""

    @property
    def external(self) -> tuple[Cell, ...]:
        """The cells that hold predictions of other systems instead of a training."""
        return tuple(cell for cell in self.space.cells if cell.predictions)

    def training_of(self, cell_id: str) -> Training:
        """Return the training behind a cell."""
        return next(t for t in self.trainings if cell_id in t.cells)

    def data_sets(self) -> tuple[str, ...]:
        """Names of the data sets that the trainings use, in the job's order."""
        trained = {name for each in self.trainings for name in each.trial.set_names()}
        used = trained.union(*(cell.predictions for cell in self.external))
        return tuple(name for name in self.job.sets if name in used)


def read_space(path: str | Path, *, unset: list[Fault] | None = None) -> ResolvedSpace:
    """Read and resolve a space. Raises ConfigError with every fault of the space, its cells and its job.

    The list `unset` receives what a plan can do without: unset variables of the job, predictions that are not there.
    """
    content, places = read_layers(path)
    with with_xvalid_faults(content, places):
        space = validate(content, Space, source=str(path), places=places)
    if not Path(space.data_job).exists():
        where = place_of(("data_job",), places)
        raise ConfigError(
            [
                f"{where}: data_job: {space.data_job}: no such file (relative to the working directory)"
            ]
        )
    job = read_config(space.data_job, DataJob, unset=unset)
    if space.search:
        drawn = draw_cells(space.search, space.base["data"]["xvalid"][0])
        space = space.model_copy(update={"cells": drawn})
    trials: list[Trial] = []
    # The cells of each fault, so that a fault of the base is told once and not for every cell.
    cells: dict[Fault, list[str]] = {}
    about_cells = absent_groups(space.groups, places, unset)
    for index, cell in enumerate(space.cells):
        if cell.predictions:
            about_cells += [str(fault.at(places)) for fault in external_faults(cell, index, job)]
            about_cells += absent_lines(cell, index, places, unset)
            continue
        trial, found = _resolve(space, index, job, places)
        trials += [trial] if trial else []
        for fault in found:
            cells.setdefault(fault, []).append(cell.id)
    about_cells += [f"{fault} ({_these(ids)})" for fault, ids in cells.items()]
    about_cells += [str(fault.at(places)) for fault in unknown_cells(space, trials)]
    if about_cells:
        raise ConfigError(about_cells)
    device = "cpu" if space.resources.gpus_per_worker in (0.0, "auto") else "cuda"
    return on_device(ResolvedSpace(space, job, (), tuple(trials)), device)


def on_device(resolved: ResolvedSpace, device: Literal["cpu", "cuda"]) -> ResolvedSpace:
    """Return the space with its trainings as they are on a device, which settles `precision: auto`."""
    trials = [trial.on(device) for trial in resolved.trials]
    return replace(resolved, trainings=_distinct_trainings(resolved.space, trials))


def _these(cells: list[str]) -> str:
    more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
    return f"cell {cells[0]}{more}"


def _resolve(
    space: Space, index: int, job: DataJob, places: Places
) -> tuple[Trial | None, list[Fault]]:
    """Return a cell's trial (None if it is faulty) and its faults; a fault that the base has by itself is
    reported there.
    """
    cell = space.cells[index]
    merged = merge(merge(space.base, cell.set), space.change.get(cell.id, {}))
    trial, faults = _trial(merged, cell, job)
    if not faults:
        return trial, []
    of_base = _trial(space.base, cell, job)[1]
    at_base = base_places(space.search, index, places)
    at_cell = cell_places(space.search, index, cell.id, places)
    return trial, [fault.at(at_base if fault in of_base else at_cell) for fault in faults]


def _trial(content: dict[str, Any], cell: Cell, job: DataJob) -> tuple[Trial | None, list[Fault]]:
    """Return the trial of this content and the cell's x-valid set, and its faults by their keys."""
    data = content.get("data")
    if isinstance(data, dict):
        content = {**content, "data": {**data, "xvalid": [cell.xvalid]}}
    trial, faults = check(content, Trial)
    return trial, misfits(trial, job) if trial else [*faults, *unknown_xvalid(cell.xvalid, job)]


def _distinct_trainings(space: Space, trials: list[Trial]) -> tuple[Training, ...]:
    """Group the cells by what decides their weights, in order of first appearance."""
    groups: dict[str, list[int]] = {}
    for index, trial in enumerate(trials):
        groups.setdefault(content_hash(trial.training_identity(), 8), []).append(index)
    trained = [cell for cell in space.cells if not cell.predictions]
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
        cells = {trained[i].id: trials[i].data.evaluation for i in members}
        trainings.append(Training(training_id, first.model_copy(update={"data": data}), cells))
    return tuple(trainings)
