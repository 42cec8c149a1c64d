"""The commands of `raysed`; raysed/cli/entry.py guards them."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from raysed import __version__
from raysed.cli.data_command import data
from raysed.cli.init_command import init
from raysed.cli.postprocess_command import postprocess
from raysed.cli.predict_commands import AddressOption, JsonOption, export, predict_command
from raysed.cli.score_command import score_command
from raysed.cli.score_options import MethodOption
from raysed.exit_codes import CHECK_FAILED, DONE, MEANINGS, REFUSED

if TYPE_CHECKING:
    from raysed.report.report import Report
    from raysed.storage.folder import Folder

app = typer.Typer(
    help="Sound event detection on heterogeneous data.\n\n"
    "The way: doctor → data → tune → report → predict. "
    "demo walks it on built-in sounds, score stands alone.",
    epilog="Exit codes: " + "; ".join(f"{code} {means}" for code, means in MEANINGS.items()) + ".",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Help lists the panels and their commands in the order in which they are registered below.
THE_WAY, AFTER, ALONE = "The way", "With a trained model", "By themselves"

RunOption = Annotated[
    str | None, typer.Option("--run", help="Run folder or URL (default: `run` in the space).")
]


def _command(name: str, panel: str, example: str) -> Callable[..., Any]:
    """Registers a command, with an example line under its help."""
    return app.command(name, rich_help_panel=panel, epilog=f"Example: {example}")


def _version(asked: bool) -> None:
    if asked:
        print(f"raysed {__version__}")
        raise typer.Exit


@app.callback()
def raysed(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of every command; raysed/cli/entry.py has taken them before typer reads the rest."""


_command("init", THE_WAY, "raysed init ~/recordings")(init)


@_command("doctor", THE_WAY, "raysed doctor /data/desed")
def doctor_command(
    target: Annotated[
        Path, typer.Argument(help="A data job, or a folder that holds DESED or parts of it.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Check which data are there, which are missing, and what would spoil a result; exit code 1 if anything
    would.
    """
    from raysed.cli.console import console
    from raysed.doctor.diagnosis import print_diagnosis
    from raysed.doctor.examine import examine

    found = examine(target)
    if as_json:
        print(json.dumps(found.as_json()))
    else:
        print_diagnosis(found, console())
    raise typer.Exit(DONE if found.healthy else CHECK_FAILED)


_command("data", THE_WAY, "raysed data data_jobs/desed.yaml --sets weak,val")(data)


@_command("tune", THE_WAY, "raysed tune tune_spaces/ablation.yaml --plan")
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
    fast_dev_run: Annotated[
        bool,
        typer.Option(
            "--fast-dev-run",
            help="Two epochs of two steps of every training, one seed, all sets, tables and the page, in RUN-fast-dev-run,"
            " which begins anew each time.",
        ),
    ] = False,
) -> None:
    """Run an ablation: build what data is missing, train, evaluate, write and print the tables."""
    if fast_dev_run and (plan or allow_changed or require_learnt):
        raise ValueError("--fast-dev-run takes no --plan, --allow-changed or --require-learnt")
    if plan:
        raise typer.Exit(_print_plan(space, run, address, as_json, allow_changed))
    from raysed.config.space import read_space

    resolved = read_space(space)
    # A faulty space is refused before torch and Ray are loaded, which takes seconds.
    from raysed.storage.folder import Folder
    from raysed.tune.run_space import run_space, say_to_stderr

    folder = Folder(run or resolved.space.run)
    if fast_dev_run:
        from raysed.config.fast_dev_run import fewest_steps
        from raysed.run.anew import begin_anew

        resolved, folder = fewest_steps(resolved), begin_anew(folder, "fast-dev-run")
    code = run_space(
        resolved, space, folder, address=address, say=say_to_stderr, allow_changed=allow_changed
    )
    report = _report(folder, as_json)
    raise typer.Exit(code or (CHECK_FAILED if require_learnt and not report.learnt else DONE))


def _print_plan(
    space: Path, run: str | None, address: str | None, as_json: bool, allow_changed: bool
) -> int:
    """Print the plan of a space, for a cluster that is named or for this machine; return the exit code."""
    from raysed.config.fault import Fault
    from raysed.config.space import read_space

    unset: list[Fault] = []
    resolved = read_space(space, unset=unset)
    # Threads that wait for one another while a step is timed shall not take the CPUs of other work, nor of
    # themselves: on a busy machine that was most of the time.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from raysed.cli.console import console
    from raysed.cli.preview_text import print_preview
    from raysed.storage.folder import Folder
    from raysed.tune.preview import nodes_of, preview

    folder = Folder(run or resolved.space.run)
    found = preview(resolved, folder, nodes_of(address), unset, allow_changed=allow_changed)
    if as_json:
        print(json.dumps(found))
    else:
        print_preview(found, console())
    return REFUSED if found["refusals"] else DONE


@_command("report", THE_WAY, "raysed report runs/ablation")
def report_command(
    run: Annotated[str, typer.Argument(help="A run folder or URL.")],
    method: MethodOption = "bca",
    as_json: JsonOption = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Print the tables of a run, finished or not; write them, the page and the figures."""
    from raysed.storage.folder import Folder

    report = _report(Folder(run), as_json, method)
    if show:
        from raysed.page.shown import open_page

        open_page(report.run)


def _report(run: "Folder", as_json: bool, method: Literal["bca", "paper"] = "bca") -> "Report":
    """Write tables, page and figures of a run; print the tables."""
    from raysed.page.page import write_page
    from raysed.report.report import read_report

    report = read_report(run, method=method)
    try:
        written = [*report.write(), *write_page(report)]
    finally:
        # Printed after the files are written, since its reader may stop early (`| head`); and also where they cannot be.
        print(json.dumps(report.as_json()) if as_json else "\n".join(report.lines))
    print("\n".join(written), file=sys.stderr)
    return report


_command("predict", THE_WAY, "raysed predict best-xvalid.pt recording.wav --out events.tsv")(
    predict_command
)
_command(
    "postprocess",
    AFTER,
    "raysed postprocess runs/ablation/trials/0a1b2c3d-seed0 --xvalid data/x --evaluate data/val",
)(postprocess)
_command("export", AFTER, "raysed export best-xvalid.pt model.onnx")(export)


@_command("demo", ALONE, "raysed demo")
def demo_command(
    run: RunOption = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="After a demo: train one trial again and say whether this machine repeats its own digits.",
        ),
    ] = False,
) -> None:
    """The whole path on built-in sounds: no download, about 3 minutes on 2 cores."""
    if check:
        from raysed.demo.own_digits import check_digits

        raise typer.Exit(check_digits(run))
    from raysed.demo.run_demo import run_demo

    raise typer.Exit(run_demo(run))


_command("score", ALONE, "raysed score --predictions P --ground-truth GT.tsv --durations D.tsv")(
    score_command
)


@_command("schema", ALONE, "raysed schema space > tune_spaces/schema.json")
def schema_command(
    kind: Annotated[
        Literal["space", "job"] | None,
        typer.Argument(help="tune_spaces/*.yaml or data_jobs/*.yaml (default: both)."),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The reference of all keys instead, for people.")
    ] = False,
) -> None:
    """Print the JSON Schema of the YAML files, with which editors complete and check them."""
    from raysed.config.reference import reference
    from raysed.config.schema import KINDS, json_schema

    if markdown:
        print(reference(kind), end="")
    else:
        found = json_schema(kind) if kind else {each: json_schema(each) for each in KINDS}
        print(json.dumps(found, indent=2))
