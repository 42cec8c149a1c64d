"""A run as one JSON-able object: all that the page and the figures show, without any drawing.

It stands between the rows of raysed.report and the pictures. Values are fractions.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.page.class_values import CLASS_METRICS, values_of_classes
from raysed.page.clips import browser_of
from raysed.page.curves import BAND_DRAWS, LEVEL, roc_band
from raysed.page.rates import has_rates, rate_bands
from raysed.page.soundscapes import soundscapes_of
from raysed.page.taken_for import taken_for
from raysed.page.trials import short, trials_of
from raysed.report.contrasts import ContrastValue
from raysed.report.look_lines import look_lines
from raysed.report.report import Report
from raysed.report.results import Result
from raysed.report.table_metrics import TABLE_METRICS
from raysed.report.verdicts import published_answers
from raysed.run.run_plan import RunPlan
from raysed.run.status_file import StatusFile
from raysed.storage.folder import Folder

ROC_DEFINITION = "psds_2020"
"""The PSDS whose curve is drawn, which is that of the tables (TABLE_METRICS)."""


def page_content(report: Report) -> dict[str, Any]:
    """Return everything that the page shows. Raises ValueError where trials were scored on different sets."""
    run, plan = report.run, report.plan
    results = report.results
    return jsonable(
        {
            "run": about_run(run, plan),
            "metrics": [
                {"id": name, "title": each.column, "scale": each.scale, "digits": each.digits}
                for name in plan.all_metrics
                for each in (TABLE_METRICS[name],)
            ],
            "cells": [
                cell.model_dump(mode="json", exclude={"published", "predictions"})
                for cell in plan.cells
            ],
            "evaluations": list(plan.evaluations),
            "values": [value.as_row() for value in report.cells],
            "contrasts": contrast_rows(plan, report.contrasts),
            "claims": report.claims_json,
            "looks": look_lines(plan, report.looks),
            "learning": [vars(check) | {"learnt": check.learnt} for check in report.checks],
            "trials": trials_of(report),
            "ledger": report.ledger,
            "roc": {"draws": BAND_DRAWS, "level": LEVEL, "curves": roc_curves(plan, results)},
            "rates": rate_curves(plan, results),
            "classes": class_tables(plan, results),
            "taken": taken_for(by_cell(plan, results)),
            "selection": selection_rows(results, plan.all_metrics),
            "configs": configurations(plan),
            "browser": browser_of(run, plan, results),
            "soundscapes": soundscapes_of(plan),
        }
    )


def about_run(run: Folder, plan: RunPlan) -> dict[str, Any]:
    """Return name, state and provenance; no folders, since pages are passed on."""
    status = StatusFile.read(run)
    kept = ("state", "exit_code", "heartbeat", "reason", "commit", "versions")
    driver = status.driver if status else None
    return {
        "host": driver.host if driver else None,
        "datasets": [
            {"name": about.name, "id": about.id, "clips": about.clips} for about in plan.datasets
        ],
        "space": plan.space,
        "folder": run.url.rstrip("/").rsplit("/", 1)[-1],
        "seeds": list(plan.seeds),
        "trials": plan.trials,
        "draws": plan.bootstrap_draws,
        "drawn": plan.drawn,
        "energy_baseline": plan.energy_baseline,
        "resources": plan.resources_per_trial,
        **{key: getattr(status, key, None) for key in kept},
    }


def configurations(plan: RunPlan) -> dict[str, dict[str, Any]]:
    """Return what decides each system: the keys of a training, or the names of predictions' files."""
    found = {training.id: flat(training.config) for training in plan.trainings}
    for cell in plan.cells:
        for evaluation, given in cell.predictions.items():
            names = {key: Path(path).name for key, path in given.items()}
            found.setdefault(cell.training, {}).update(flat(names, f"predictions.{evaluation}."))
    return found


def contrast_rows(plan: RunPlan, contrasts: Sequence[ContrastValue]) -> list[dict[str, Any]]:
    """Return every difference, with `mirrored` true where the same pair came before the other way round."""
    seen: set[tuple[str, ...]] = set()
    rows = []
    for value in contrasts:
        where = (value.evaluation, value.metric)
        mirrored = (value.against, value.cell, *where) in seen
        seen.add((value.cell, value.against, *where))
        rows.append(contrast_row(plan, value) | {"mirrored": mirrored})
    return rows


def contrast_row(plan: RunPlan, value: ContrastValue) -> dict[str, Any]:
    """Return a contrast with the published difference and what our interval says about it."""
    published, verdict, agrees = published_answers(plan, value)
    return value.as_row() | {"published": published, "verdict": verdict, "agrees": agrees}


def by_cell(plan: RunPlan, results: Sequence[Result]) -> dict[tuple[str, str], list[Result]]:
    """Return (cell, evaluation set) -> its finished seeds, in the plan's order."""
    found: dict[tuple[str, str], list[Result]] = {
        (cell.id, evaluation): [] for cell in plan.cells for evaluation in cell.evaluation
    }
    for result in results:
        found[result.cell, result.evaluation].append(result)
    return {key: seeds for key, seeds in found.items() if seeds}


def roc_curves(plan: RunPlan, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return the PSD-ROC of every cell; cells that show one system share the work."""
    drawn: dict[tuple[Any, ...], dict[str, Any]] = {}
    rows = []
    for (cell, evaluation), seeds in by_cell(plan, results).items():
        if not seeds[0].has(ROC_DEFINITION):
            continue
        systems = tuple(dict.fromkeys(result.system for result in seeds))
        if systems not in drawn:
            band = roc_band([result.statistics for result in seeds], ROC_DEFINITION)
            drawn[systems] = {
                name: [short(x) for x in getattr(band, f"{name}_X")]
                for name in ("efpr", "etpr", "low", "high")
            }
        rows.append({"cell": cell, "evaluation": evaluation, **drawn[systems]})
    return rows


def rate_curves(plan: RunPlan, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return precision and recall of every cell and class over the threshold: lists by class, then threshold."""
    drawn: dict[tuple[Any, ...], dict[str, Any]] = {}
    rows = []
    for (cell, evaluation), seeds in by_cell(plan, results).items():
        if not has_rates(seeds[0].statistics):
            continue
        systems = tuple(dict.fromkeys(result.system for result in seeds))
        if systems not in drawn:
            thresholds, *bands = rate_bands([result.statistics for result in seeds])
            drawn[systems] = {"thresholds": thresholds} | {
                rate: {
                    name: [[short(x, 3) for x in row_T] for row_T in getattr(band, f"{name}_TK").T]
                    for name in ("value", "low", "high")
                }
                for rate, band in zip(("precision", "recall"), bands, strict=True)
            }
        rows.append({"cell": cell, "evaluation": evaluation, **drawn[systems]})
    return rows


def class_tables(plan: RunPlan, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return for each evaluation set the event F1 of every class and cell, as mean over seeds, and the events
    of each class.
    """
    tables: dict[str, dict[str, Any]] = {}
    for (cell, evaluation), seeds in by_cell(plan, results).items():
        statistics = seeds[0].statistics
        table = tables.setdefault(
            evaluation,
            {
                "evaluation": evaluation,
                "clips": statistics.n_clips,
                "classes": list(statistics.classes),
                "events": statistics.event.n_ref_NK.sum(axis=0).tolist(),
                "cells": {},
                "metrics": CLASS_METRICS,
                "values": {name: {} for name in CLASS_METRICS},
            },
        )
        f1_SK = np.stack([event_f1(result.statistics)[1][0] for result in seeds])
        table["cells"][cell] = [short(f1, 6) for f1 in f1_SK.mean(axis=0)]
        for name, row_K3 in values_of_classes([result.statistics for result in seeds]).items():
            table["values"][name][cell] = [[short(x) for x in row_3] for row_3 in row_K3]
    return list(tables.values())


def selection_rows(results: Sequence[Result], metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row for each trial, x-valid set and evaluation set: the epoch that the x-valid set selected,
    and what that model reaches with the training's own post-processing.
    """
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for result in results:
        if result.about is None or result.postprocessing:
            continue
        row = rows.setdefault(
            result.system,
            {
                "trial": result.trial,
                "training": result.training,
                "seed": result.seed,
                "xvalid": result.xvalid,
                "evaluation": result.evaluation,
                "cells": [],
                "epoch": result.selected_epoch,
                "xvalid_f1": result.xvalid_f1,
                "untrained": result.about.selected[result.xvalid].is_untrained,
            },
        )
        row["cells"].append(result.cell)
        for name in metrics:
            if name not in row:
                row[name] = float(TABLE_METRICS[name](result.statistics, None)[0])
    return list(rows.values())


def flat(config: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return a nested configuration by dotted keys."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found |= flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = value
    return found


def jsonable(value: Any) -> Any:
    """Return the same with plain numbers; NaN and infinities become None."""
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return short(value, 12) if isinstance(value, float) else value
