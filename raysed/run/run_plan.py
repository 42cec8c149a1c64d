"""`plan.json`: the cells, trainings, data sets and resources of a run, typed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from raysed.config.base import content_hash
from raysed.config.cell_postprocessing import CellPostProcessing
from raysed.config.space import ResolvedSpace, Training
from raysed.config.table import DEFAULT_METRICS, Cell, Claim, Contrast
from raysed.evaluation.metrics.registry import sources_of
from raysed.run.folders import PLAN, trial_name
from raysed.run.stored_file import Stored, parse_stored
from raysed.storage.file_hashes import file_hashes
from raysed.storage.files import absolute
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json


class PlannedCell(Stored):
    """One column of one table: a training, the x-valid set that selects its epoch, the sets it is scored on. Or
    predictions of a system that is not trained here.
    """

    id: str
    table: str
    column: str
    training: str
    """Of predictions from elsewhere, the hash of their files."""
    xvalid: str
    """Empty for predictions from elsewhere."""
    evaluation: tuple[str, ...]
    predictions: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Paths of the predictions of a system that is not trained here, by evaluation set and key."""
    published: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    """Published values, fractions, by evaluation set and metric."""
    postprocessing: CellPostProcessing | None = None
    """The way from scores to events, where that is not the training's own."""

    @property
    def system(self) -> tuple[str, str, str]:
        """Return what it shows; cells that share it have the same numbers."""
        return self.training, self.xvalid, self.postprocessing_name

    @property
    def postprocessing_name(self) -> str:
        """Return the name in its files; empty for the training's own."""
        return self.postprocessing.name if self.postprocessing else ""

    def published_value(self, evaluation: str, metric: str) -> float | None:
        """Return the published value of a metric on an evaluation set, a fraction."""
        return self.published.get(evaluation, {}).get(metric)


class PlannedTraining(Stored):
    """One distinct training of the run."""

    id: str
    cells: tuple[str, ...] = ()
    config: dict[str, Any]
    """Its Trial as JSON."""
    seeds: tuple[int, ...] | None = None
    """Its seeds so far, where seeds grow; else those of the plan."""

    @property
    def epochs(self) -> int | None:
        """The number of epochs that it is to have."""
        return self.config.get("schedule", {}).get("epochs")


class PlannedSet(Stored):
    """One data set that the run reads."""

    name: str
    id: str | None = None
    url: str | None = None
    clips: int | None = None


class RunPlan(Stored):
    """The content of `plan.json`, written when the data sets are there and before the first trial."""

    space: str
    job: str | None = None
    seeds: tuple[int, ...]
    """Those of all trainings; where seeds grow, those so far of the training that has the most."""
    looks: tuple[int, ...] = ()
    """The number of seeds behind each look, where seeds grow."""
    cells: tuple[PlannedCell, ...]
    contrasts: tuple[Contrast, ...] = ()
    claims: tuple[Claim, ...] = ()
    metrics: tuple[str, ...] = DEFAULT_METRICS
    metric_sources: dict[str, str] = Field(default_factory=dict)
    """The hashes of the files of metrics of one's own, as they were when the run began or went on."""
    search: dict[str, Any] | None = None
    energy_baseline: str | None = None
    bootstrap_draws: int
    groups: str | None = None
    """The path of the space's file of groups, of which the run has a copy."""
    trainings: tuple[PlannedTraining, ...]
    trials: int
    datasets: tuple[PlannedSet, ...] = ()
    recorded_root: str | None = None
    """Absolute, so that a report finds recordings from whatever folder it is called in."""
    job_file: str | None = None
    """The path of the data job, absolute likewise, from which soundscapes can be made again."""
    resources_per_trial: dict[str, Any] = Field(default_factory=dict)
    concurrent_trials: int | None = None

    @classmethod
    def of(
        cls,
        resolved: ResolvedSpace,
        datasets: Sequence[PlannedSet],
        concurrent_trials: int,
        seeds_of: Mapping[str, tuple[int, ...]] | None = None,
    ) -> "RunPlan":
        """Return the plan of a space on these data sets; `seeds_of` are those of each training where seeds grow."""
        space, recorded = resolved.space, resolved.job.roots.recorded
        seeds_of = seeds_of or {training.id: space.all_seeds for training in resolved.trainings}
        return cls(
            space=space.name,
            job=resolved.job.name,
            seeds=max(seeds_of.values(), key=len, default=space.all_seeds),
            looks=space.looks,
            cells=tuple(_planned_cell(cell, resolved) for cell in space.cells),
            contrasts=space.contrasts,
            claims=space.claims,
            metrics=space.metrics,
            metric_sources=sources_of(_every_metric(space.metrics, space.claims)),
            search=space.search.model_dump(mode="json") if space.search else None,
            energy_baseline=space.energy_baseline,
            bootstrap_draws=space.bootstrap_draws,
            groups=space.groups,
            trainings=tuple(
                _planned_training(training, seeds_of[training.id] if space.looks else None)
                for training in resolved.trainings
            ),
            trials=sum(map(len, seeds_of.values())),
            datasets=tuple(datasets),
            recorded_root=absolute(recorded) if recorded else None,
            job_file=absolute(space.data_job),
            resources_per_trial=space.resources.model_dump(mode="json"),
            concurrent_trials=concurrent_trials,
        )

    @classmethod
    def read(cls, run: Folder) -> "RunPlan | None":
        """Read the plan of a run, None where there is none. Raises ValueError naming file and key."""
        content = read_json(run, PLAN)
        return None if content is None else parse_stored(content, f"{run.url}/{PLAN}", cls)

    @classmethod
    def require(cls, run: Folder) -> "RunPlan":
        """Read the plan of a run. Raises ValueError where there is none, too."""
        plan = cls.read(run)
        if plan is None:
            raise ValueError(
                f"{run.url} holds no {PLAN} of a run: no run folder, or its data are still being built"
            )
        return plan

    def write(self, run: Folder) -> None:
        """Write it to the run's folder."""
        write_json(run, PLAN, self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        return self.model_dump(mode="json")

    @property
    def evaluations(self) -> tuple[str, ...]:
        """The evaluation sets of all cells, in order of first appearance."""
        return tuple(dict.fromkeys(name for cell in self.cells for name in cell.evaluation))

    @property
    def all_metrics(self) -> tuple[str, ...]:
        """The metrics of the tables and of the claims, in order of first appearance."""
        return _every_metric(self.metrics, self.claims)

    def cell(self, id: str) -> PlannedCell:
        """Return the cell of this id."""
        return next(cell for cell in self.cells if cell.id == id)

    def training(self, id: str) -> PlannedTraining:
        """Return the training of this id."""
        return next(training for training in self.trainings if training.id == id)

    def cells_of(self, training: str) -> list[str]:
        """Return the ids of the cells that one training serves."""
        return [cell.id for cell in self.cells if cell.training == training]

    def trial_names(self, training: str) -> list[str]:
        """Return the names of a training's trials, seed by seed."""
        return [trial_name(training, seed) for seed in self.seeds_of(training)]

    def seeds_of(self, training: str) -> tuple[int, ...]:
        """Return the seeds of a training; of a system from elsewhere, those that it is compared with."""
        own = next((t.seeds for t in self.trainings if t.id == training), None)
        return self.seeds if own is None else own

    @property
    def drawn(self) -> str:
        """The word for what intervals draw: clips, or groups of clips where the space names them."""
        return "groups of clips" if self.groups else "clips"

    @property
    def most_seeds(self) -> int:
        """The number of seeds that a training may get."""
        return self.looks[-1] if self.looks else len(self.seeds)


def _every_metric(metrics: tuple[str, ...], claims: Sequence[Claim]) -> tuple[str, ...]:
    of_claims = (metric for claim in claims for metric in claim.metrics)
    return tuple(dict.fromkeys((*metrics, *of_claims)))


def external_id(cell: Cell) -> str:
    """Return what a system from elsewhere is called by: a hash of its predictions' contents, wherever they lie; of those
    that are not there, `absent`.
    """
    paths = [path for given in cell.predictions.values() for path in given.files.values()]
    if not all(Path(path).exists() for path in paths):
        return "absent"
    contents = {
        evaluation: {key: file_hashes(Path(path)) for key, path in given.files.items()}
        for evaluation, given in cell.predictions.items()
    }
    return content_hash(contents, 8)


def _planned_cell(cell: Cell, resolved: ResolvedSpace) -> PlannedCell:
    if cell.predictions:
        return PlannedCell(
            id=cell.id,
            table=cell.table,
            column=cell.column,
            training=external_id(cell),
            xvalid="",
            evaluation=tuple(cell.predictions),
            predictions={name: given.files for name, given in cell.predictions.items()},
            published=_published(cell),
        )
    assert cell.xvalid is not None, "a cell is a training or predictions"
    training = resolved.training_of(cell.id)
    return PlannedCell(
        id=cell.id,
        table=cell.table,
        column=cell.column,
        training=training.id,
        xvalid=cell.xvalid,
        evaluation=training.cells[cell.id],
        published=_published(cell),
        postprocessing=cell.postprocessing if cell.postprocessing_differs else None,
    )


def _published(cell: Cell) -> dict[str, dict[str, float | None]]:
    return {name: dict(metrics) for name, metrics in cell.published.items()}


def _planned_training(training: Training, seeds: tuple[int, ...] | None) -> PlannedTraining:
    return PlannedTraining(
        seeds=seeds,
        id=training.id,
        cells=tuple(training.cells),
        config=training.trial.model_dump(mode="json"),
    )
