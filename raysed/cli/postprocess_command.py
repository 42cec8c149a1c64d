"""`raysed postprocess`: what can be changed after training; raysed/cli/commands.py registers it."""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from raysed.cli.predict_commands import JsonOption

if TYPE_CHECKING:
    from raysed.evaluation.postprocessing.comparison import JudgedSet
    from raysed.evaluation.postprocessing.operating_points import WantedRate
    from raysed.predict.retune import Tuning

ScoresOption = Annotated[
    Path | None,
    typer.Option(help="Any system's score files, instead of a trial."),
]
GivenTruthOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="With --scores: strong labels to judge by."),
]
GivenDurationsOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="With --scores: filename, duration; for PSDS."),
]
GivenClipsOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        help="With --scores: where recordings are missing, what is there: a TSV with filename, or a folder.",
    ),
]
BoxesOption = Annotated[
    Path | None, typer.Option(help="With --scores: the TSV of bounding boxes to write.")
]
PrecisionOption = Annotated[
    float | None,
    typer.Option(help="Thresholds that keep this precision in each class, 0.9 for 90 %."),
]
RecallOption = Annotated[
    float | None, typer.Option(help="Thresholds that keep this recall in each class.")
]
TunedMethodOption = Annotated[
    Literal["class_median", "hysteresis", "boxes"] | None,
    typer.Option(help="What is tuned (default: class_median)."),
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
    ground_truth: GivenTruthOption = None,
    durations: GivenDurationsOption = None,
    clips: GivenClipsOption = None,
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
    method: TunedMethodOption = None,
    tune_for: Annotated[
        Literal["event_f1", "psds1", "psds2"], typer.Option(help="What settings are chosen for.")
    ] = "event_f1",
    compare: Annotated[
        bool, typer.Option("--compare", help="All methods in one table; no checkpoint is written.")
    ] = False,
    precision: PrecisionOption = None,
    recall: RecallOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what follows the network, without training.

    Of a trial: tune post-processing for each class on x-valid, and judge it honestly. Of any system's score
    files: make bounding boxes with a confidence each, or, with their ground truth, compare all methods or choose
    operating points, cross-fitted.
    """
    wanted = _wanted(precision, recall)
    if sum((wanted is not None, compare, boxes is not None)) > 1:
        raise ValueError("give one of --compare, --boxes, and --precision or --recall")
    if wanted and method:
        raise ValueError("--precision and --recall choose thresholds alone: leave out --method")
    if scores is not None or boxes is not None:
        if scores is None or trial or xvalid or evaluate:
            raise ValueError("score files (--scores FOLDER) go without a trial and its data sets")
        if boxes is not None:
            _boxes(scores, boxes, (step_filter_s, merge_abs, merge_rel), as_json)
            return
        files = (scores, ground_truth, durations, clips)
        _given(files, wanted, tune_for if compare else None, as_json)
        return
    if not (trial and xvalid and evaluate):
        raise ValueError(
            "give a trial with --xvalid and --evaluate, or --scores FOLDER with --boxes OUT.tsv, or --scores FOLDER"
            " with --ground-truth GT.tsv and --compare, --precision or --recall"
        )
    from raysed.predict.retune import Tuning
    from raysed.storage.folder import Folder

    with tempfile.TemporaryDirectory() as cache:
        found = Tuning(Folder(trial), xvalid, evaluate, cache, method or "class_median", tune_for)
        if wanted:
            _point(found, wanted, as_json)
        else:
            (_compare if compare else _tune)(found, as_json)


def _wanted(precision: float | None, recall: float | None) -> "WantedRate | None":
    """Return the wanted rate, if one is given. Raises ValueError for two, and for one that is no share."""
    if precision is not None and recall is not None:
        raise ValueError(
            "one threshold has one precision and one recall: give --precision or --recall"
        )
    from raysed.evaluation.postprocessing.operating_points import WantedRate

    found = None
    if precision is not None:
        found = WantedRate("precision", precision)
    elif recall is not None:
        found = WantedRate("recall", recall)
    if found:
        found.check()
    return found


def _given(
    files: tuple[Path, Path | None, Path | None, Path | None],
    wanted: "WantedRate | None",
    goal: str | None,
    as_json: bool,
) -> None:
    """Compare all methods on score files from elsewhere (for a goal), or choose operating points of them."""
    from raysed.predict.given_scores import GivenScores

    scores, ground_truth, *others = files
    if ground_truth is None or not (wanted or goal):
        raise ValueError(
            "--scores FOLDER goes with --boxes OUT.tsv, or with --ground-truth GT.tsv and one of --compare,"
            " --precision and --recall"
        )
    if goal and others[0] is None:
        raise ValueError(
            "--compare has PSDS in its table: give --durations D.tsv (filename, duration)"
        )
    judged, remarks = GivenScores(scores, ground_truth, *others).read()
    for line in remarks:
        _say(f"warning: {line}")
    if wanted:
        _given_points(judged, wanted, as_json)
    elif goal:
        _given_columns(judged, goal, as_json)


def _given_points(judged: "JudgedSet", wanted: "WantedRate", as_json: bool) -> None:
    from raysed.evaluation.postprocessing.operating_points import ThresholdSearch, operating_points
    from raysed.predict.given_scores import AS_GIVEN
    from raysed.predict.point_table import CROSS_FITTED, point_table, points_as_json

    points = operating_points(None, ThresholdSearch.of(*judged, AS_GIVEN), wanted)
    if as_json:
        print(json.dumps(points_as_json(points, wanted)))
    else:
        print("\n".join(point_table(points, wanted, CROSS_FITTED)))


def _given_columns(judged: "JudgedSet", goal: str, as_json: bool) -> None:
    from raysed.evaluation.postprocessing.comparison import compare_methods
    from raysed.evaluation.postprocessing.methods import METHODS
    from raysed.predict.given_scores import AS_GIVEN
    from raysed.predict.method_table import columns_as_json, method_table

    names = [
        name for name in METHODS if name != "median"
    ]  # there is no training whose median it is
    columns = compare_methods(None, judged, AS_GIVEN, goal, methods=names)
    if as_json:
        print(json.dumps({"tuned_for": goal, "columns": columns_as_json(columns)}))
    else:
        print("\n".join(method_table(columns, goal, "the raw scores")))


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


def _point(tuning: "Tuning", wanted: "WantedRate", as_json: bool) -> None:
    from raysed.predict.point_table import CROSS_FITTED, ON_XVALID, point_table, points_as_json
    from raysed.predict.retune import point_trial

    path, tuned, crossed = point_trial(tuning, wanted, _say)
    if as_json:
        found = {
            "checkpoint": path,
            "tuned_on_xvalid": points_as_json(tuned, wanted),
            "cross_fitted": points_as_json(crossed, wanted),
        }
        print(json.dumps(found))
    else:
        tables = (point_table(tuned, wanted, ON_XVALID), point_table(crossed, wanted, CROSS_FITTED))
        print("\n".join(("Tuned on x-valid", "", *tables[0], "", "Cross-fitted", "", *tables[1])))
    _say(f"wrote {path} (thresholds of x-valid)")


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
