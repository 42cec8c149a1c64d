"""The command line. Exit codes: 0 done, 1 a check failed, 2 wrong input, 3 finished with holes, 130 interrupted."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raysed.config.reader import ConfigError
from raysed.data.__main__ import data
from raysed.predict.commands import export, postprocess, predict

if TYPE_CHECKING:
    from rich.console import Console

    from raysed.data.folder import Folder
    from raysed.report.report import Report

EXIT_CHECK_FAILED, EXIT_WRONG_INPUT, EXIT_HOLES = 1, 2, 3  # and 130 by Ctrl-C, from typer

app = typer.Typer(
    help="Sound event detection on heterogeneous data: build data sets, run ablations, read tables.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

RunOption = Annotated[
    str | None, typer.Option("--run", help="Run folder or URL (default: `run` in the space).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AddressOption = Annotated[
    str | None, typer.Option(help="Ray cluster to join (default: RAY_ADDRESS, else this machine).")
]


@app.command("tune")
def tune_command(
    space: Annotated[Path, typer.Argument(help="A tune_spaces/*.yaml.")],
    run: RunOption = None,
    address: AddressOption = None,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan", help="Say what a run takes and what stands in its way; run nothing."
        ),
    ] = False,
    as_json: JsonOption = False,
    require_learnt: Annotated[
        bool, typer.Option(help="Exit with 1 where the check of learning fails.")
    ] = False,
    allow_changed: Annotated[
        bool, typer.Option(help="Go on with a run whose code or data changed since it was started.")
    ] = False,
) -> None:
    """Run an ablation: build what data is missing, train, evaluate, write and print the tables."""
    if plan:
        raise typer.Exit(_print_plan(space, run, address, as_json))
    from raysed.config.space import read_space

    resolved = read_space(space)
    # A faulty space is refused before torch and Ray are loaded, which takes seconds.
    from raysed.data.folder import Folder
    from raysed.tune.run import run_space, say_to_stderr

    folder = Folder(run or resolved.space.run)
    code = run_space(
        resolved, space, folder, address=address, say=say_to_stderr, allow_changed=allow_changed
    )
    report = _report(folder, as_json)
    raise typer.Exit(code or (EXIT_CHECK_FAILED if require_learnt and not report.learnt else 0))


def _print_plan(space: Path, run: str | None, address: str | None, as_json: bool) -> int:
    """The plan of a space, on a cluster that is named or on this machine; the exit code."""
    import json

    from raysed.config.space import read_space

    unset: list[str] = []
    resolved = read_space(space, unset=unset)
    from raysed.data.folder import Folder
    from raysed.tune.preview import nodes_of, preview
    from raysed.tune.preview_text import print_preview

    folder = Folder(run or resolved.space.run)
    found = preview(resolved, folder, nodes_of(address), unset)
    if as_json:
        print(json.dumps(found))
    else:
        print_preview(found, _console())
    return EXIT_WRONG_INPUT if found["refusals"] else 0


def _console() -> "Console":
    from rich.console import Console

    # A pipe has no width of its own.
    return Console(width=None if sys.stdout.isatty() else 120)


def _report(run: "Folder", as_json: bool) -> "Report":
    """Write tables, page and figures of a run; print the tables."""
    import json

    from raysed.page.page import write_page
    from raysed.report.report import write_report

    report = write_report(run)
    print(json.dumps(report.as_json()) if as_json else "\n".join(report.lines))
    for line in write_page(report):
        print(line, file=sys.stderr)
    return report


app.command("data")(data)
app.command("predict")(predict)
app.command("export")(export)
app.command("postprocess")(postprocess)


@app.command("report")
def report_command(
    run: Annotated[str, typer.Argument(help="A run folder or URL.")], as_json: JsonOption = False
) -> None:
    """Print and write the tables of a run, finished or not."""
    from raysed.data.folder import Folder

    _report(Folder(run), as_json)


@app.command("doctor")
def doctor_command(
    target: Annotated[
        Path, typer.Argument(help="A data job, or a folder that holds DESED or parts of it.")
    ],
    as_json: JsonOption = False,
) -> None:
    """What data is there, what is missing, and what would spoil a result; 1 if anything would."""
    import json

    from raysed.data.diagnosis import print_diagnosis
    from raysed.data.doctor import examine

    found = examine(target)
    if as_json:
        print(json.dumps(found.as_json()))
    else:
        print_diagnosis(found, _console())
    raise typer.Exit(0 if found.healthy else EXIT_CHECK_FAILED)


@app.command("score")
def score_command(  # noqa: PLR0913 - each is an option
    predictions: Annotated[
        Path,
        typer.Option(
            exists=True,
            help="A TSV, a folder of operating points (0.010.tsv, predictions_th_0.01.tsv) or a "
            "folder of sed_scores_eval score files.",
        ),
    ],
    ground_truth: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Strong labels.")],
    durations: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Columns filename, duration; for PSDS."),
    ] = None,
    versus: Annotated[
        Path | None, typer.Option(exists=True, help="Another system, to compare clip by clip.")
    ] = None,
    overlaps: Annotated[
        str, typer.Option(help="Same-class overlaps in the ground truth: refuse, merge or keep.")
    ] = "refuse",
    threshold: Annotated[
        float | None, typer.Option(help="Operating point of the F1 scores (default: 0.5).")
    ] = None,
    draws: Annotated[int, typer.Option(min=10, help="Bootstrap draws.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead.")] = False,
) -> None:
    """Score anyone's predictions: F1 and PSDS with 95 % intervals, and a paired comparison."""
    from raysed.evaluation.score import Request, score
    from raysed.evaluation.score_text import show

    request = Request(
        predictions, ground_truth, durations, versus, overlaps, threshold, draws, seed
    )
    show(score(request), as_json=json)


@app.command("demo")
def demo_command(run: RunOption = None) -> None:
    """The whole path on built-in sounds: no download, about 6 minutes on 2 cores."""
    from raysed.demo import run_demo

    raise typer.Exit(run_demo(run))


def run_command(command: Callable[..., None]) -> None:
    """One command as a program of its own (`python -m raysed.tune`)."""
    alone = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    alone.command()(command)
    _guard(alone)


def main() -> None:
    """`raysed`."""
    _guard(app)


def _guard(program: typer.Typer) -> None:
    """Turn a user's mistake into a message and exit code 2, without a traceback."""
    try:
        program(standalone_mode=True)
    except ConfigError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        sys.exit(EXIT_WRONG_INPUT)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_WRONG_INPUT)
    except (OSError, RuntimeError) as error:
        print(
            f"stopped: {error}\nWhat is finished is kept: the same command goes on.",
            file=sys.stderr,
        )
        sys.exit(EXIT_HOLES)


if __name__ == "__main__":
    main()
