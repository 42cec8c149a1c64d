"""`python -m benchmarks.regress`: runs benchmarks again and compares their ratios with the recorded ones.

Absolute times are never compared, since machines differ; ratios carry over. A ratio has fallen where the
fresh median lies more than STANDARD_ERRORS standard errors of both medians, and more than a LEAST_FALL, under
the recorded one; exit 1 then, each named. Without arguments the benchmarks of one core run, which count CPU
seconds; `--read FILE` takes outputs that are there already (the last line of each counts) and runs nothing.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.common import RESULTS

ONE_CORE = ("data", "mel", "metrics", "loader", "train_step")
"""Benchmarks whose ratios change little on a busy machine. ddp and tune measure wall time: run them on a
quiet machine."""
STANDARD_ERRORS = 3.0
LEAST_FALL = 0.1
"""The share of a ratio by which runs of the same code differ, from load and from the memory pages that a
process gets."""

Row = Mapping[str, Any]
Verdict = Literal["ok", "fell", "missing", "new", "single"]


@dataclass(frozen=True)
class Judged:
    """One ratio of a benchmark."""

    name: str
    reference: str
    recorded: float | None
    fresh: float | None
    limit: float | None
    """The ratio under which it has fallen."""
    verdict: Verdict
    """The verdict; "single" where either side has only one pair, which has no spread to judge by."""

    @property
    def failed(self) -> bool:
        """Tell whether someone should look."""
        return self.verdict in ("fell", "missing")


def standard_error(row: Row) -> float:
    """Return the standard error of the median of n pairs. For few pairs their range over sqrt(n) is about a
    standard deviation, and a median's error is 1.25 standard deviations over sqrt(n) (the normal law's
    sqrt(pi / 2)).
    """
    return 1.25 * (row["ratio_max"] - row["ratio_min"]) / row["n"]


def limit_of(recorded: Row, fresh: Row) -> float:
    """Return the ratio under which the fresh one has fallen."""
    error = (standard_error(recorded) ** 2 + standard_error(fresh) ** 2) ** 0.5
    return recorded["ratio"] - max(STANDARD_ERRORS * error, LEAST_FALL * recorded["ratio"])


def compare(recorded: Sequence[Row], fresh: Sequence[Row]) -> list[Judged]:
    """Compare every recorded ratio with the fresh one of the same name and reference, then list those that
    are new.
    """

    def named(rows: Sequence[Row]) -> dict[tuple[str, str], Row]:
        return {(row["name"], row["reference"]): row for row in rows}

    before, after = named(recorded), named(fresh)
    judged = []
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            judged.append(Judged(*key, old["ratio"], None, None, "missing"))
        elif min(old["n"], new["n"]) < 2:
            judged.append(Judged(*key, old["ratio"], new["ratio"], None, "single"))
        else:
            limit = limit_of(old, new)
            verdict: Verdict = "fell" if new["ratio"] < limit else "ok"
            judged.append(Judged(*key, old["ratio"], new["ratio"], limit, verdict))
    judged += [
        Judged(*k, None, r["ratio"], None, "new") for k, r in after.items() if k not in before
    ]
    return judged


def run(name: str) -> dict[str, Any]:
    """Return a benchmark's document, from a process of its own. Raises RuntimeError where it fails."""
    print(f"running {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"benchmarks.{name} ended with exit code {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def read(path: Path) -> dict[str, Any]:
    """Read the document of an output or of a stored result. Raises ValueError where there is none."""
    try:
        text = path.read_text()
        content = json.loads(text if text.startswith("{\n") else text.splitlines()[-1])
    except (OSError, IndexError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: no benchmark's output: {error}") from error
    if not isinstance(content, dict) or not {"benchmark", "rows"} <= content.keys():
        raise ValueError(f"{path}: no benchmark's document, which has `benchmark` and `rows`")
    return content


def recorded_of(name: str) -> dict[str, Any]:
    """Return the stored result of a benchmark. Raises ValueError where there is none."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in RESULTS.glob("*.json")))
        raise ValueError(f"{name}: nothing is recorded; there are {known}")
    return read(path)


def say(name: str, judged: Sequence[Judged]) -> None:
    """Print a table of one benchmark."""
    table = Table(name, "against", "recorded", "now", "fell under", "")

    def cell(value: float | None) -> str:
        return "" if value is None else f"{value:.4g}"

    for j in judged:
        values = (cell(value) for value in (j.recorded, j.fresh, j.limit))
        table.add_row(j.name, j.reference, *values, j.verdict.upper() if j.failed else j.verdict)
    Console(width=150).print(table)


def differences(name: str, recorded: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[str]:
    """Return differences that a reader of the verdicts should know: hardware, the sounds of `data`, the
    checkpoint of `predict`.
    """
    return [
        f"{name}: recorded with another {what}, {recorded.get(what)}, now {fresh.get(what)}"
        for what in ("hardware", "bank", "checkpoint")
        if recorded.get(what) != fresh.get(what)
    ]


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Benchmarks (default: {', '.join(ONE_CORE)}).")
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Option("--read", help="An output to compare instead of running.")
    ] = None,
) -> None:
    """Run or read, compare, and exit with 1 naming the ratios that fell."""
    try:
        fresh = [read(path) for path in files or ()]
        wanted = names or ([] if files else list(ONE_CORE))
        recorded = {n: recorded_of(n) for n in (*wanted, *(c["benchmark"] for c in fresh))}
    except ValueError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    fresh += [run(name) for name in wanted]
    failed = []
    for content in fresh:
        name = content["benchmark"]
        judged = compare(recorded[name]["rows"], content["rows"])
        say(name, judged)
        for line in differences(name, recorded[name], content):
            print(line)
        failed += [
            f"{name}: {j.name}, against {j.reference}: {j.verdict}" for j in judged if j.failed
        ]
    print("\n".join(failed) or "no ratio fell")
    print(json.dumps({"benchmark": "regress", "failed": failed}))
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)
