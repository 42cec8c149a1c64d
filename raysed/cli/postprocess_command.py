"""`raysed postprocess`: what can be changed after training; raysed/cli/commands.py registers it."""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from raysed.cli.predict_commands import JsonOption

if TYPE_CHECKING:
    from raysed.predict.retune import Tuning

ScoresOption = Annotated[
    Path | None, typer.Option(help="Any system's score files, instead of a trial.")
]
BoxesOption = Annotated[
    Path | None, typer.Option(help="With --scores: the TSV of bounding boxes to write.")
]


def postprocess(  # noqa: PLR0913 - each is an option
    trial: Annotated[
        str | None, typer.Argument(help="A finished trial: RUN/trials/<training>-seed<N>.")
    ] = None,
    xvalid: Annotated[
        str | None, typer.Option(help="Data set folder to tune on; its name picks the epoch.")
    ] = None,
    evaluate: Annotated[str | None, typer.Option(help="Data set folder to judge on.")] = None,
    scores: ScoresOption = None,
    boxes: BoxesOption = None,
    step_filter_s: Annotated[
        float, typer.Option(help="Boxes: seconds of the step filter, both halves.")
    ] = 0.48,
    merge_abs: Annotated[
        float, typer.Option(help="Boxes: the drop between two that are merged stays below this.")
    ] = 0.15,
    merge_rel: Annotated[
        float, typer.Option(help="Boxes: and the ratio of the scores below this.")
    ] = 2.0,
    method: Annotated[
        Literal["class_median", "hysteresis", "boxes"], typer.Option(help="What is tuned.")
    ] = "class_median",
    tune_for: Annotated[
        Literal["event_f1", "psds1", "psds2"], typer.Option(help="What settings are chosen for.")
    ] = "event_f1",
    compare: Annotated[
        bool, typer.Option("--compare", help="All methods in one table; no checkpoint is written.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Change what follows the network, without training.

    Of a trial: tune post-processing for each class on x-valid, and judge it honestly. Of any system's score
    files: make bounding boxes with a confidence each.
    """
    if scores is not None or boxes is not None:
        if scores is None or boxes is None or trial or xvalid or evaluate:
            raise ValueError(
                "bounding boxes of score files need --scores FOLDER and --boxes OUT.tsv, and neither a trial "
                "nor data sets"
            )
        _boxes(scores, boxes, (step_filter_s, merge_abs, merge_rel), as_json)
        return
    if not (trial and xvalid and evaluate):
        raise ValueError(
            "give a trial with --xvalid and --evaluate, or --scores FOLDER with --boxes OUT.tsv"
        )
    from raysed.predict.retune import Tuning
    from raysed.storage.folder import Folder

    with tempfile.TemporaryDirectory() as cache:
        tuning = Tuning(Folder(trial), xvalid, evaluate, cache, method, tune_for)
        (_compare if compare else _tune)(tuning, as_json)


def _boxes(scores: Path, out: Path, numbers: tuple[float, float, float], as_json: bool) -> None:
    from raysed.evaluation.detections.bounding_boxes import BoxSettings
    from raysed.evaluation.postprocessing.box_files import boxes_of_folder

    settings = BoxSettings(*numbers)
    found, filenames, classes = boxes_of_folder(scores, out, settings)
    about = {"clips": len(filenames), "classes": list(classes), "boxes": len(found)}
    if as_json:
        print(json.dumps({"file": str(out), **about, **settings._asdict()}))
    _say(
        f"wrote {out}: {len(found)} boxes of {len(classes)} classes in {len(filenames)} clips (step filter "
        f"{settings.step_filter_s:g} s, merged below a drop of {settings.merge_abs:g} and a ratio of "
        f"{settings.merge_rel:g})"
    )


def _compare(tuning: "Tuning", as_json: bool) -> None:
    from raysed.predict.method_table import columns_as_json, method_table
    from raysed.predict.retune import compare_trial

    columns = compare_trial(tuning, _say)
    if as_json:
        print(json.dumps({"tuned_for": tuning.goal, "columns": columns_as_json(columns)}))
    else:
        print("\n".join(method_table(columns, tuning.goal)))


def _tune(tuning: "Tuning", as_json: bool) -> None:
    from raysed.predict.retune import as_object, comparison_lines, retune

    path, gains, settings = retune(tuning, _say)
    print(
        json.dumps(as_object(path, gains, settings))
        if as_json
        else "\n".join(comparison_lines(gains, settings, tuning.goal))
    )
    _say(f"wrote {path}")
    judged = gains[1].gain
    if judged is None or judged.low <= 0:
        _say(
            f"note: on {tuning.evaluation_url} a gain is not shown (the interval of `tuned on x-valid` holds 0)"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
