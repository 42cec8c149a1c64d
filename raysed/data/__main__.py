"""`python -m raysed.data JOB.yaml`, also `raysed data`: build the data sets of a job."""

import json
import sys
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from raysed.config.data_job import DataJob
from raysed.config.reader import ConfigError, read_config

if TYPE_CHECKING:
    from raysed.data.resume import DatasetResult

DONE, REFUSED, HOLES, INTERRUPTED = 0, 2, 3, 130


def data(
    job: Annotated[Path, typer.Argument(help="A data job, e.g. data_jobs/desed.yaml.")],
    sets: Annotated[str | None, typer.Option(help="Only these sets, separated by commas.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Waveform tasks at once (default: the cluster's CPUs)."),
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
    # Ray takes a second to load, which `raysed --help` should not wait for.
    from raysed.data.job import build

    try:
        job = read_config(path, DataJob)
        results = build(job, sets=sets, workers=workers, address=address)
    except ConfigError as error:
        return _say("\n".join(f"error: {fault}" for fault in error.faults), REFUSED)
    except ValueError as error:
        return _say(f"error: {error}", REFUSED)
    except (RuntimeError, OSError) as error:  # BuildStoppedError, and a Ray that does not start
        return _say(
            f"stopped: {error}\nFinished shards are kept: run the same command to go on.", HOLES
        )
    except KeyboardInterrupt:
        return _say(
            "interrupted: finished shards are kept, run the same command to go on.", INTERRUPTED
        )
    _print(job.name, results.values(), as_json)
    over = [result.name for result in results.values() if result.over_limit]
    if over:
        return _say(
            f"{', '.join(over)}: over {job.quarantine_limit:.1%} of the clips are quarantined, "
            "see quarantine.tsv in the set's folder",
            HOLES,
        )
    return DONE


def _say(message: str, code: int) -> int:
    if "--debug" in sys.argv and sys.exc_info()[0] is not None:
        traceback.print_exc()
    print(message, file=sys.stderr)
    return code


def _print(name: str, results: Iterable["DatasetResult"], as_json: bool) -> None:
    results = list(results)
    for warning in dict.fromkeys(warning for result in results for warning in result.warnings):
        print(f"warning: {warning}", file=sys.stderr)
    if as_json:
        print(json.dumps({"job": name, "datasets": [asdict(result) for result in results]}))
        return
    counts = ("clips", "dropped", "quarantined", "missing", "shards", "shards_built")
    table = Table("set", *(column.replace("_", " ") for column in counts))
    for result in results:
        table.add_row(result.name, *(str(getattr(result, column)) for column in counts))
    Console().print(table)
    for result in results:
        print(result.url)


def main() -> None:
    """Entry of `python -m raysed.data`."""
    alone = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    alone.command(epilog="--debug shows tracebacks of errors.")(data)
    alone(args=[argument for argument in sys.argv[1:] if argument != "--debug"])


if __name__ == "__main__":
    main()
