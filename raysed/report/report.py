"""The work of `raysed report RUN`: results.parquet, tables/*.{csv,md,tex} and the lines for the terminal.

It works half-way through a run: what is missing is named where its value would stand.
"""

import io
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from raysed.config.table import table_stem
from raysed.report import latex, markdown
from raysed.report.cells import CellValue, cell_values
from raysed.report.claim_power import claim_powers
from raysed.report.claim_rows import claim_rows
from raysed.report.contrasts import ContrastValue
from raysed.report.few_seeds import few_seeds_lines, moved_lines, untrained_lines
from raysed.report.grouped_results import read_grouped
from raysed.report.learning import LearningCheck, above_always_on, count_lines, learning_checks
from raysed.report.ledger import ledger_rows
from raysed.report.ledger_markdown import ledger_lines, ledger_table
from raysed.report.look_lines import look_lines
from raysed.report.looked_contrasts import judged_contrasts
from raysed.report.optimism import Optimism, optimism_lines, optimism_of
from raysed.report.own_metric_lines import own_metric_lines
from raysed.report.results import Measured, Result, results_frame
from raysed.report.seen_sets import seen_lines
from raysed.report.table_rows import metric_tables
from raysed.report.trial_scores import with_scores
from raysed.report.verdicts import JudgedClaim, judge
from raysed.report.verdicts_markdown import claims_lines
from raysed.report.widths import width_lines
from raysed.run.folders import RESULTS, TABLES, TRIALS
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import SeedLooks, read_looks
from raysed.run.trial_state import Standing, read_standings
from raysed.storage.delimited import csv_cell
from raysed.storage.folder import Folder
from raysed.storage.json_file import without_nan


@dataclass(frozen=True)
class Report:
    """The report of a run so far."""

    run: Folder
    plan: RunPlan
    trials: dict[str, Standing]
    results: list[Result] = field(default_factory=list)
    """Everything that is stored, read once; the page draws the same."""
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    """One row a result: metrics with intervals over clips."""
    cells: list[CellValue] = field(default_factory=list)
    contrasts: list[ContrastValue] = field(default_factory=list)
    claims: list[JudgedClaim] = field(default_factory=list)
    powers: list[dict[str, Any]] = field(default_factory=list)
    """For each claim, what it can settle, as JSON."""
    checks: list[LearningCheck] = field(default_factory=list)
    """The chosen cell against baselines that have learnt nothing."""
    above: list[LearningCheck] = field(default_factory=list)
    """Every training against the always-on detector."""
    optimism: list[Optimism] = field(default_factory=list)
    """Tuned post-processings beside the claims of tuning on the evaluation sets themselves."""
    looks: SeedLooks = field(default_factory=lambda: SeedLooks(planned=()))
    """The decisions that were taken while seeds grew."""

    @property
    def learnt(self) -> bool:
        """Tell whether the chosen cell is above both baselines on every evaluation set."""
        return bool(self.checks) and all(check.learnt for check in self.checks)

    @property
    def lines(self) -> list[str]:
        """Return the lines that the terminal shows."""
        if not self.cells:
            none = f"{self.run.url}: none of {self.plan.trials} trials is finished yet"
            return [none, *_holes(self.plan, self.trials)]
        tables = markdown.tables(metric_tables(self.plan, self.cells, self.contrasts))
        return [
            "",
            *(line for lines in tables.values() for line in lines),
            *width_lines(self.cells),
            *optimism_lines(self.optimism),
            *markdown.family_lines(self.contrasts),
            *self._looks,
            *claims_lines(claim_rows(self.plan, self.claims), self.plan.job),
            *_holes(self.plan, self.trials),
            *few_seeds_lines(self.plan, self.cells),
            *moved_lines(self.plan, self.cells),
            *untrained_lines(self.cells),
            *seen_lines(self.plan),
            *_losses(self.frame),
            *ledger_lines(self.ledger),
            *own_metric_lines(self.plan),
            *self._learning,
            *(f"data set {about.name}: {about.url}" for about in self.plan.datasets),
            f"trials (checkpoints, scores, statistics, curves): {self.run.url}/{TRIALS}/TRAINING-seedN",
        ]

    def write(self) -> list[str]:
        """Write its files, where a trial is finished; return a line that says which."""
        if not self.results:
            return []
        for name, content in _files(self).items():
            self.run.write(name, content)
        return [f"wrote {self.run.url}/{RESULTS} and {self.run.url}/{TABLES}/*.md, *.csv, *.tex"]

    @property
    def _looks(self) -> list[str]:
        lines = look_lines(self.plan, self.looks)
        return [*lines, ""] if lines else []

    @property
    def _learning(self) -> list[str]:
        if not self.checks:
            return []
        return [
            "Check of learning: the cell with the best x-valid F1, paired difference in points [95 %]:",
            *(f"  {check}" for check in self.checks),
            *(f"  {line}" for line in count_lines(self.above, self.plan)),
            "",
        ]

    @property
    def ledger(self) -> list[dict[str, Any]]:
        """Return operations and energy of every trained cell."""
        return ledger_rows(self.plan, self.frame)

    @property
    def claims_json(self) -> list[dict[str, Any]]:
        """Return the claims as JSON, each with its power."""
        return [
            claim.as_json() | {"power": power}
            for claim, power in zip(self.claims, self.powers, strict=True)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the report as one JSON object; metrics are fractions."""
        found = {
            "run": self.run.url,
            "space": self.plan.space,
            "job": self.plan.job,
            "seeds": list(self.plan.seeds),
            **({"groups": self.plan.groups} if self.plan.groups else {}),
            "trials": [vars(trial) for trial in self.trials.values()],
            "tables": [cell.as_row() for cell in self.cells],
            "contrasts": [contrast.as_row() for contrast in self.contrasts],
            "claims": self.claims_json,
            "postprocessing": [each.as_row() for each in self.optimism],
            **({"looks": self.looks.model_dump(mode="json")} if self.plan.looks else {}),
            "learning": [vars(c) | {"learnt": c.learnt} for c in [*self.checks, *self.above]],
            "learnt": self.learnt,
            "ledger": self.ledger,
        }
        return without_nan(found)


def write_report(run: Folder) -> Report:
    """Write the tables of a run. Raises ValueError for a folder without a plan."""
    report = read_report(run)
    report.write()
    return report


def read_report(run: Folder, *, method: Literal["bca", "paper"] = "bca") -> Report:
    """Compute the tables of a run; with the method "paper" every cell also has the paper's recipe.

    Raises ValueError for a folder without a plan.
    """
    plan = RunPlan.require(run)
    trials = read_standings(run, plan)
    results = with_scores(run, plan, read_grouped(run, plan))
    if not results:
        return Report(run, plan, trials)
    measured = Measured(results, plan.bootstrap_draws)
    trained = [result for result in results if result.about and not result.postprocessing]
    contrasts = judged_contrasts(run, plan, measured)
    return Report(
        run=run,
        plan=plan,
        trials=trials,
        results=results,
        frame=results_frame(measured, plan.all_metrics),
        cells=cell_values(plan, measured, trials, recipes=method == "paper"),
        contrasts=contrasts,
        claims=judge(plan, measured, contrasts),
        powers=_powers(plan, measured),
        checks=learning_checks(trained, measured.draws),
        above=above_always_on(trained, measured.draws),
        optimism=optimism_of(plan, measured),
        looks=read_looks(run, plan.looks),
    )


def _powers(plan: RunPlan, measured: Measured) -> list[dict[str, Any]]:
    """Return what each claim can settle, from what is drawn already."""

    def draws(result: Result, metric: str) -> np.ndarray:
        return measured.drawn(result, metric).values_B

    clips = {result.evaluation: result.statistics.n_clips for result in measured.results}
    return claim_powers(plan, clips, measured.results, draws)


def _files(report: Report) -> dict[str, bytes]:
    """Return all files of the report, by their names in the run."""
    plan, cells, contrasts, claims = report.plan, report.cells, report.contrasts, report.claims
    texts: dict[str, str] = {}
    slugs: list[str] = []
    tables = metric_tables(plan, cells, contrasts)
    for table, lines in markdown.tables(tables).items():
        slugs.append(table_stem(table))
        texts[f"{slugs[-1]}.md"] = "\n".join(lines)
        texts[f"{slugs[-1]}.csv"] = _csv([c.as_row() for c in cells if c.table == table])
        here = [each for each in tables if each.table == table]
        texts[f"{slugs[-1]}.tex"] = latex.cell_table(here, plan.seeds, plan.drawn)
    if report.ledger:
        texts["ledger.md"] = "\n".join(ledger_table(plan, report.ledger))
        texts["ledger.csv"] = _csv(report.ledger)
    texts["contrasts.csv"] = _csv([contrast.as_row() for contrast in contrasts])
    if claims:
        slugs.append("claims")
        rows = claim_rows(plan, claims)
        texts["claims.md"] = "\n".join([*claims_lines(rows, plan.job), *report._looks])
        texts["claims.csv"] = _csv(
            [
                {
                    "claim": claim.id,
                    "claim_holds": claim.holds,
                    "claim_verdict": claim.verdict,
                    "claim_agrees": claim.agrees,
                }
                | comparison.as_row()
                for claim in claims
                for comparison in claim.comparisons
            ]
        )
        texts["claims.tex"] = latex.claims_table(rows, len(plan.seeds))
    if report.optimism:
        texts["postprocessing.md"] = "\n".join(optimism_lines(report.optimism))
        texts["postprocessing.csv"] = _csv([each.as_row() for each in report.optimism])
    texts["tables.tex"] = latex.document(slugs)
    files = {f"{TABLES}/{name}": text.encode() for name, text in texts.items()}
    return files | {RESULTS: _parquet(report.frame)}


def _holes(plan: RunPlan, trials: dict[str, Standing]) -> list[str]:
    """Say how many trials are missing, and why failed ones failed."""
    finished = sum(trial.state == "finished" for trial in trials.values())
    if finished == len(trials):
        return []
    cells = {
        name: ", ".join(plan.cells_of(training.id))
        for training in plan.trainings
        for name in plan.trial_names(training.id)
    }
    failed = [trial for trial in trials.values() if trial.state == "failed"]
    return [
        *(
            [f"{finished} of {len(trials)} trials are finished; the tables hold these only."]
            if finished
            else []
        ),
        *(f"failed: {trial.name} ({cells[trial.name]}): {trial.note}" for trial in failed),
        "",
    ]


def _losses(frame: pd.DataFrame) -> list[str]:
    """Return a line for each training, named by its cells."""
    lines = []
    for _, rows in frame[frame.loss_first.notna()].groupby("training", sort=False):
        cells = "/".join(dict.fromkeys(rows.cell))
        means = rows[["loss_first", "loss_last"]].mean()
        lines.append(f"  {cells}: {means.loss_first:.3f} -> {means.loss_last:.3f}")
    if not lines:
        return []
    return ["Loss, mean of the first and of the last epoch (mean over seeds):", *lines, ""]


def _csv(rows: list[dict[str, Any]]) -> str:
    """Return tidy CSV; lists are joined by spaces."""
    frame = pd.DataFrame(
        [{key: csv_cell(_flat(value)) for key, value in row.items()} for row in rows]
    )
    return frame.rename(columns={"evaluation": "set"}).to_csv(index=False)


def _flat(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return " ".join("-" if each is None else str(each).replace(" ", "_") for each in value)


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
