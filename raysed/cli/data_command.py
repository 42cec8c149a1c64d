"""`raysed data`, also `python -m raysed.data`: build the data sets of a job."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raysed.exit_codes import DONE, HOLES

if TYPE_CHECKING:
    from raysed.data.build.resume import DatasetResult


def data(
    job: Annotated[Path, typer.Argument(help="A data job, e.g. data_jobs/desed.yaml.")],
    sets: Annotated[str | None, typer.Option(help="Only these sets, separated by commas.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=100_000, help="Waveform tasks at once (default: the cluster's CPUs)."
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Of a running Ray cluster (`auto` finds one).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Build the data sets of a job: finished shards are kept, an interrupted build is resumed."""
    raise typer.Exit(_run(job, sets.split(",") if sets else None, workers, address, as_json))


def _run(
    path: Path, sets: list[str] | None, workers: int | None, address: str | None, as_json: bool
) -> int:
    # Models and rich take a quarter of a second to load, for which `raysed --help` should not wait.
    from raysed.config.data_job import DataJob
    from raysed.config.reader import read_config

    job = read_config(path, DataJob)
    # Ray takes a second, for which a faulty job should not wait.
    from raysed.data.build.job import build

    try:
        results = build(job, sets=sets, workers=workers, address=address)
    except KeyboardInterrupt:
        print("interrupted: finished shards are kept, the same command goes on", file=sys.stderr)
        raise
    _print(job.name, results.values(), as_json)
    over = [result.name for result in results.values() if result.over_limit]
    if over:
        print(
            f"{', '.join(over)}: over {job.quarantine_limit:.1%} of the clips are quarantined, "
            "see quarantine.tsv in the set's folder; the same command ends the same until these files are replaced or"
            " removed, or quarantine_limit is raised",
            file=sys.stderr,
        )
        return HOLES
    return DONE


def _print(name: str, results: Iterable["DatasetResult"], as_json: bool) -> None:
    results = list(results)
    for warning in dict.fromkeys(warning for result in results for warning in result.warnings):
        print(f"warning: {warning}", file=sys.stderr)
    if as_json:
        print(json.dumps({"job": name, "datasets": [asdict(result) for result in results]}))
        return
    from rich.table import Table

    from raysed.cli.console import console

    counts = ("clips", "dropped", "quarantined", "missing", "shards", "shards_built")
    table = Table("set", *(column.replace("_", " ") for column in counts))
    for result in results:
        table.add_row(result.name, *(str(getattr(result, column)) for column in counts))
    console().print(table)
    for result in results:
        print(result.url)
