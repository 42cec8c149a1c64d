"""Systems that are not trained here: their predictions become counts in the run, as trainings leave them.

They are scored again by every run of the space, which takes seconds; the counts are called by the hash of the
predictions, so that changed files make another system.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from raysed.config.external import PredictionFiles
from raysed.config.space import ResolvedSpace
from raysed.config.table import Cell
from raysed.data.features.store import open_dataset
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.score.predictions import ClipSet, Predictions, read_predictions
from raysed.run.folders import external_file
from raysed.run.run_plan import external_id
from raysed.storage.folder import Folder
from raysed.storage.node_cache import cache_dir
from raysed.training.scoring import encode_statistics, reference_of


def score_external(resolved: ResolvedSpace, run: Folder, urls: Mapping[str, str]) -> list[str]:
    """Score every system from elsewhere on its sets; write its counts, and return remarks for people.

    Raises ValueError, naming cell, file and line, for predictions that do not fit their set.
    """
    remarks: list[str] = []
    for cell, evaluation, given, clips in _given(resolved, urls):
        try:
            found, more = count_predictions(given, clips)
        except ValueError as error:
            raise ValueError(f"cell {cell.id}, predictions.{evaluation}: {error}") from error
        run.write(external_file(external_id(cell), evaluation), encode_statistics(found))
        remarks += [f"{cell.id}: {line}" for line in more]
    return remarks


def prediction_faults(resolved: ResolvedSpace, urls: Mapping[str, str]) -> Iterator[str]:
    """Yield why predictions from elsewhere that are there cannot be scored, as far as their sets are built (`urls`)."""
    for cell, evaluation, given, clips in _given(resolved, urls):
        if all(Path(path).exists() for path in given.files.values()):
            try:
                _read(given, clips)
            except ValueError as error:
                yield f"cell {cell.id}, predictions.{evaluation}: {error}"


def _given(
    resolved: ResolvedSpace, urls: Mapping[str, str]
) -> Iterator[tuple[Cell, str, PredictionFiles, ClipSet]]:
    """Yield every system and evaluation set with its predictions and clips."""
    sets: dict[str, ClipSet] = {}
    for cell in resolved.external:
        for evaluation, given in cell.predictions.items():
            if evaluation not in urls:
                continue
            if evaluation not in sets:
                reference = reference_of(open_dataset(urls[evaluation], cache_dir()))
                sets[evaluation] = ClipSet(reference, left_out(Folder(urls[evaluation])))
            yield cell, evaluation, given, sets[evaluation]


def count_predictions(given: PredictionFiles, clips: ClipSet) -> tuple[Statistics, tuple[str, ...]]:
    """Return the counts of predictions on a set, and remarks.

    Without operating points there are no counts for PSDS. Raises ValueError for operating points that are not those
    of the trainings, since PSDS depends on them.
    """
    system = _read(given, clips)
    return collect(clips.reference, system.detections, system.points), system.warnings


def _read(given: PredictionFiles, clips: ClipSet) -> Predictions:
    system = read_predictions(Path(given.path), clips)
    if system.points is not None and tuple(sorted(system.points)) != THRESHOLDS:
        raise ValueError(
            f"{given.path}: {len(system.points)} operating points from {min(system.points):g} to"
            f" {max(system.points):g}, and trainings have {len(THRESHOLDS)} from {THRESHOLDS[0]} to {THRESHOLDS[-1]}:"
            " PSDS depends on them. Give these points, or score files with probabilities, or a TSV alone (no PSDS)"
        )
    if given.detections:
        chosen = read_predictions(Path(given.detections), clips)
        about = (line for line in chosen.warnings if "there is no PSDS" not in line)
        system = replace(system, detections=chosen.detections, warnings=(*system.warnings, *about))
    return system


def left_out(data_set: Folder) -> tuple[str, ...]:
    """Return the clips that a finished data set lists as missing or quarantined."""
    names: dict[str, None] = {}
    for file in ("missing.tsv", "quarantine.tsv"):
        _, *rows = (data_set.read(file) or b"filename\n").decode().splitlines()
        names |= dict.fromkeys(row.split("\t")[0] for row in rows if row)
    return tuple(names)
