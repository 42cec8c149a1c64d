"""`raysed report RUN`: results.parquet, tables/*.{csv,md} and what the terminal shows. Works half-way through a run."""

import io
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from raysed.data.folder import Folder
from raysed.report.learning import learning_checks
from raysed.report.results import Result, read_plan, read_results, results_frame
from raysed.report.tables import as_frame, cell_values, contrast_values, render


@dataclass(frozen=True)
class Report:
    """What the terminal shows, and whether something was learnt on every evaluation set."""

    lines: list[str]
    learnt: bool


def write_report(run: Folder) -> Report:
    """Write the tables of a run. Raises ValueError for a folder without a plan."""
    plan = read_plan(run)
    results = read_results(run, plan)
    if not results:
        return Report([f"{run.url}: none of {plan['trials']} trials is finished yet"], learnt=False)
    cells, contrasts = cell_values(plan, results), contrast_values(plan, results)
    tables = render(cells, contrasts)
    frame = results_frame(results, plan["bootstrap_draws"])
    paths = [_write(run, "results.parquet", _parquet(frame))]
    for table, lines in tables.items():
        rows = [cell for cell in cells if cell.table == table]
        paths.append(_write(run, f"tables/{_slug(table)}.md", "\n".join(lines).encode()))
        paths.append(
            _write(run, f"tables/{_slug(table)}.csv", as_frame(rows).to_csv(index=False).encode())
        )
    paths.append(
        _write(run, "tables/contrasts.csv", as_frame(contrasts).to_csv(index=False).encode())
    )
    checks = learning_checks(results, plan["bootstrap_draws"])
    lines = [
        "",
        *(line for lines in tables.values() for line in lines),
        *_holes(plan, results),
        *_one_seed(plan),
        *_losses(frame),
        "Check of learning: the cell with the best x-valid F1, paired difference in points [95 %]:",
        *(f"  {check}" for check in checks),
        "",
        *(f"data set {about['name']}: {about['url']}" for about in plan["datasets"]),
        f"trials (checkpoints, scores, statistics, curves): {run.url}/trials",
        *(f"wrote {path}" for path in paths),
    ]
    return Report(lines, learnt=all(check.learnt for check in checks))


def _holes(plan: dict[str, Any], results: list[Result]) -> list[str]:
    finished = {result.trial for result in results}
    if len(finished) == plan["trials"]:
        return []
    return [
        f"{len(finished)} of {plan['trials']} trials are finished; the tables hold these only.",
        "",
    ]


def _one_seed(plan: dict[str, Any]) -> list[str]:
    if len(plan["seeds"]) > 1:
        return []
    return ["One seed: the intervals are over clips; nothing is known about other seeds.", ""]


def _losses(frame: pd.DataFrame) -> list[str]:
    means = frame.groupby("cell", sort=False)[["loss_first", "loss_last", "selected_epoch"]].mean()
    return [
        "Loss, mean of the first and of the last epoch (mean over seeds):",
        *(
            f"  {cell}: {row.loss_first:.3f} -> {row.loss_last:.3f}"
            for cell, row in means.iterrows()
        ),
        "",
    ]


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _write(run: Folder, name: str, content: bytes) -> str:
    run.write(name, content)
    return f"{run.url}/{name}"


def _slug(table: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", table.lower()).strip("-") or "table"
