"""Many systems on one set: `raysed score --systems FOLDER`.

Every metric is drawn once for each system, on the same draws; about 1 s for each system and PSDS, 1168 clips.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from raysed.evaluation.intervals.interval_ends import ends_of
from raysed.evaluation.intervals.resampled import spread
from raysed.evaluation.intervals.significance import Drawn, drawn
from raysed.evaluation.intervals.system_ranks import all_differences, ranks
from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.score.ground_truth import ScoredSet, read_scored_set, unit_of
from raysed.evaluation.score.predictions import threshold_of
from raysed.evaluation.score.remarks import moved_intervals
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.systems import (
    System,
    class_values,
    classes_of,
    known,
    method_of,
    read_system,
)

Systems = dict[str, System]


def score_systems(request: ScoreRequest) -> dict[str, Any]:
    """Return the ranking of all systems in each metric, all their differences and their classes' values.

    Raises ValueError, naming file and line, for input that cannot be scored.
    """
    assert request.systems is not None, "the request asks for several systems"
    scored, warnings = read_scored_set(request)
    systems = read_systems(request, request.systems, scored)
    for system in systems.values():
        warnings += system.predictions.warnings
    systems, more = with_equal_points(systems)
    compared = {name: rank(request, name, systems) for name in request.metrics}
    more += moved_intervals(_by_system(compared), unit_of(scored))
    return {
        "clips": len(scored.reference.filenames),
        "classes": list(scored.reference.classes),
        "draws": request.draws,
        "seed": request.seed,
        "systems": {
            name: {"path": str(system.path), "threshold": system.predictions.threshold}
            for name, system in systems.items()
        },
        "metrics": compared,
        "per_class": {
            name: per_class(request, name, systems, scored)
            for name in request.metrics
            if all(name in classes_of(request, system) for system in systems.values())
        },
        "warnings": [*warnings, *more],
    }


def read_systems(request: ScoreRequest, folder: Path, scored: ScoredSet) -> Systems:
    """Read every TSV and every sub-folder as a system, called by its name; hidden ones are passed over."""
    paths = [
        path
        for path in sorted(folder.iterdir())
        if (path.is_dir() or path.suffix == ".tsv") and not path.name.startswith(".")
    ]
    names = [path.name if path.is_dir() else path.stem for path in paths]
    _refuse(folder, paths, names)
    return {
        name: read_system(request, path, scored) for name, path in zip(names, paths, strict=True)
    }


def _refuse(folder: Path, paths: list[Path], names: list[str]) -> None:
    if len(paths) < 2:
        raise ValueError(
            f"{folder}: {len(paths)} systems; expected at least two TSVs or folders, one a system"
        )
    if all(path.is_file() and _is_point(path) for path in paths):
        raise ValueError(
            f"{folder}: its files ({paths[0].name}, ...) are called like the operating points of one system;"
            " --systems takes a folder with one TSV or folder for each system, --predictions this one"
        )
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"{folder}: a TSV and a folder are both called {twice[0]}; rename one")


def _is_point(path: Path) -> bool:
    try:
        threshold_of(path)
    except ValueError:
        return False
    return True


def with_equal_points(systems: Systems) -> tuple[Systems, tuple[str, ...]]:
    """Return the systems without the counts for PSDS where operating points are not those of most, and remarks."""
    points = Counter(s.statistics.thresholds for s in systems.values() if s.statistics.psds)
    if len(points) < 2:
        return systems, ()
    usual, _ = points.most_common(1)[0]
    found, remarks = {}, ()
    for name, system in systems.items():
        if system.statistics.psds and system.statistics.thresholds != usual:
            system = replace(system, statistics=system.statistics.without_psds())
            remarks += (f"{system.path}: other operating points than most systems: no PSDS",)
        found[name] = system
    return found, remarks


def rank(request: ScoreRequest, metric: str, systems: Systems) -> dict[str, Any] | None:
    """Return ranking and differences in one metric of the systems that have it; None where fewer than two have."""
    having = {name: system for name, system in systems.items() if system.has(metric)}
    drawn_of = {name: _drawn(request, metric, system) for name, system in having.items()}
    # A metric that is undefined on this set, as mpAUC of a class that is always there, ranks nobody.
    names = [name for name, each in drawn_of.items() if not np.isnan(each.value)]
    if len(names) < 2:
        return None
    values = [drawn_of[name] for name in names]
    found_SS4 = all_differences(values)
    rank_S3 = ranks(found_SS4)
    order = np.lexsort((np.arange(len(names)), rank_S3[:, 0]))
    return {
        "ranking": [_row(names[s], values[s], rank_S3[s]) for s in order],
        "differences": [
            {"system": names[a], "against": names[b]}
            | dict(
                zip(("difference", "low", "high", "p"), map(known, found_SS4[a, b]), strict=True)
            )
            for place, a in enumerate(order)
            for b in order[place + 1 :]
        ],
    }


def _by_system(compared: dict[str, dict[str, Any] | None]) -> dict[str, dict[str, Any]]:
    """Return the estimates of all rankings by what a remark calls them."""
    return {
        f"{name} of {row['system']}": row
        for name, each in compared.items()
        for row in (each or {"ranking": []})["ranking"]
    }


def _drawn(request: ScoreRequest, metric: str, system: System) -> Drawn:
    statistics = system.statistics
    return drawn(METRICS[metric], statistics, draws=request.draws, seed=request.seed)


def _row(name: str, value: Drawn, rank_3: np.ndarray) -> dict[str, Any]:
    low, high, rule = ends_of(value.values_B, value.value, value.left_out_J, 0.95)
    place = dict(zip(("rank", "rank_low", "rank_high"), rank_3.tolist(), strict=True))
    ends = {
        "value": value.value,
        "low": low,
        "high": high,
        "se": spread(value.values_B) if len(value.left_out_J) > 1 else np.nan,
    }
    numbers = {key: known(each) for key, each in ends.items()}
    return {"system": name} | place | numbers | method_of(rule)


def per_class(
    request: ScoreRequest, metric: str, systems: Systems, scored: ScoredSet
) -> dict[str, dict[str, Any]]:
    """Return class -> system -> value with its interval."""
    values = {
        name: class_values(request, metric, system.statistics) for name, system in systems.items()
    }
    return {
        label: {name: values[name][k] for name in systems}
        for k, label in enumerate(scored.reference.classes)
    }
