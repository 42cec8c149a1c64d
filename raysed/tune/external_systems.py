"""Systems that are not trained here: their predictions become counts in the run, as trainings leave them.

They are scored again by every run of the space, which takes seconds; the counts are called by the hash of the
predictions, so that changed files make another system.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from raysed.config.external import PredictionFiles
from raysed.config.space import ResolvedSpace
from raysed.data.features.store import open_dataset
from raysed.evaluation.counts.statistics import Statistics, collect
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.postprocess import THRESHOLDS
from raysed.evaluation.score.predictions import ClipSet, read_predictions
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
    sets: dict[str, tuple[Reference, tuple[str, ...]]] = {}
    for cell in resolved.external:
        id = external_id(cell)
        for evaluation, given in cell.predictions.items():
            if evaluation not in sets:
                reference = reference_of(open_dataset(urls[evaluation], cache_dir()))
                sets[evaluation] = reference, left_out(Folder(urls[evaluation]))
            try:
                found, more = count_predictions(given, *sets[evaluation])
            except ValueError as error:
                raise ValueError(f"cell {cell.id}, predictions.{evaluation}: {error}") from error
            run.write(external_file(id, evaluation), encode_statistics(found))
            remarks += [f"{cell.id}: {line}" for line in more]
    return remarks


def count_predictions(
    given: PredictionFiles, reference: Reference, others: tuple[str, ...] = ()
) -> tuple[Statistics, tuple[str, ...]]:
    """Return the counts of predictions on a set, and remarks. `others` are clips that the set has lost.

    Without operating points there are no counts for PSDS. Raises ValueError for operating points that are not those
    of the trainings, since PSDS depends on them.
    """
    clips = ClipSet(reference, others)
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
    return collect(reference, system.detections, system.points), system.warnings


def left_out(data_set: Folder) -> tuple[str, ...]:
    """Return the clips that a finished data set lists as missing or quarantined."""
    names: dict[str, None] = {}
    for file in ("missing.tsv", "quarantine.tsv"):
        _, *rows = (data_set.read(file) or b"filename\n").decode().splitlines()
        names |= dict.fromkeys(row.split("\t")[0] for row in rows if row)
    return tuple(names)
