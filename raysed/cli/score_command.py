"""`raysed score`: its options, and which of its works they ask for."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from raysed.cli.predict_commands import JsonOption
from raysed.cli.score_options import MethodOption
from raysed.exit_codes import CHECK_FAILED, DONE

PredictionsOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        help="A TSV, a folder of operating points (0.010.tsv, predictions_th_0.01.tsv) or a "
        "folder of sed_scores_eval score files (probabilities, logits, bounding boxes).",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(help="Operating point of the F1 scores (default: 0.5), on the scores' own scale."),
]
MetricsOption = Annotated[
    str | None,
    typer.Option(
        help="Names of metrics, or functions of your own as package.module:function, separated by commas (default: all of stored counts)."
    ),
]
EqualOption = Annotated[
    Literal["event", "none"],
    typer.Option(
        help="Score files: what a score equal to the threshold is. event: as dcase_util; none: as "
        "sed_scores_eval and sebbs."
    ),
]
TruthOption = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Strong labels.")
]
SystemsOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        file_okay=False,
        help="Instead of --predictions: a folder with a TSV or folder for each of many systems, to be ranked.",
    ),
]
DurationsOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Columns filename, duration; for PSDS."),
]
VersusOption = Annotated[
    Path | None, typer.Option(exists=True, help="Another system, to compare clip by clip.")
]
ClipsOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        help="Where recordings of the ground truth are missing, what is there: a TSV with a column filename, or a "
        "folder of recordings or score files. The whole set's values are then estimated.",
    ),
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option(exists=True, help="With --clips: another system's predictions on the whole set."),
]
GroupsOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Columns filename, group: intervals over the sources that clips were cut from.",
    ),
]
MapOption = Annotated[
    Path | None,
    typer.Option(
        "--map",
        exists=True,
        dir_okay=False,
        help="Columns predicted, event_label: what predictions call classes of the ground truth.",
    ),
]
ScoredClassesOption = Annotated[
    str | None,
    typer.Option(help="The classes to score, separated by commas (default: all of the labels)."),
]
OverlapsOption = Annotated[
    Literal["refuse", "merge", "keep"],
    typer.Option(help="Same-class overlaps in the ground truth: refuse, merge or keep."),
]
EngineOption = Annotated[
    Literal["sed_eval", "psds_eval", "sed_scores_eval"] | None,
    typer.Option(
        help="Compute the values with this package too and print both (raysed[reference])."
    ),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="Write hashes of all files, definitions and values as JSON."),
]
CheckOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Alone: compute a certificate's values again and say what differs; exit code 1 where any does.",
    ),
]
_DRAWS = 10_000
DrawsOption = Annotated[int, typer.Option(min=10, max=1_000_000, help="Bootstrap draws.")]


def score_command(  # noqa: PLR0913 - each is an option
    predictions: PredictionsOption = None,
    ground_truth: TruthOption = None,
    durations: DurationsOption = None,
    systems: SystemsOption = None,
    versus: VersusOption = None,
    clips: ClipsOption = None,
    reference: ReferenceOption = None,
    groups: GroupsOption = None,
    label_map: MapOption = None,
    classes: ScoredClassesOption = None,
    overlaps: OverlapsOption = "refuse",
    threshold: ThresholdOption = None,
    at_threshold: EqualOption = "event",
    draws: DrawsOption = _DRAWS,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1)] = 0,
    metrics: MetricsOption = None,
    method: MethodOption = "bca",
    engine: EngineOption = None,
    certificate: CertificateOption = None,
    check: CheckOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score anyone's predictions: F1 and PSDS with 95 % intervals, and a paired comparison."""
    from raysed.evaluation.metrics.registry import COUNT_METRICS, metric_names
    from raysed.evaluation.score.request import ScoreRequest

    paths: dict[str, Any] = {
        "predictions": predictions,
        "ground_truth": ground_truth,
        "durations": durations,
        "systems": systems,
        "versus": versus,
        "clips": clips,
        "reference": reference,
        "groups": groups,
        "label_map": label_map,
    }
    if check is not None:
        others = paths | {
            "classes": classes,
            "overlaps": overlaps != "refuse",
            "threshold": threshold is not None,
            "at_threshold": at_threshold != "event",
            "draws": draws != _DRAWS,
            "seed": seed,
            "metrics": metrics,
            "method": method != "bca",
            "engine": engine,
            "certificate": certificate,
        }
        raise typer.Exit(_check(check, [name for name, given in others.items() if given], as_json))
    if ground_truth is None:
        raise ValueError("--ground-truth is missing: a TSV with the columns of DESED's annotations")
    request = ScoreRequest(
        **paths,
        classes=tuple(name.strip() for name in classes.split(",")) if classes else (),
        overlaps=overlaps,
        threshold=threshold,
        at_threshold=at_threshold,
        draws=draws,
        seed=seed,
        metrics=COUNT_METRICS if metrics is None else metric_names(metrics),
        method=method,
        engine=engine,
    )
    raise typer.Exit(_score(request, certificate, as_json))


def _score(request: Any, certificate: Path | None, as_json: bool) -> int:
    """Score one system or many, print and write what is asked for; return the exit code."""
    from raysed.cli.ranking_text import show_ranking
    from raysed.cli.score_text import show
    from raysed.evaluation.score.certificate import (
        found_by,
        refuse_own_input,
        write_certificate,
    )
    from raysed.pulse import Pulse

    if certificate is not None:
        refuse_own_input(certificate, request)
    with Pulse(lambda line: print(line, file=sys.stderr, flush=True), steady=True) as pulse:
        found = found_by(replace(request, pulse=pulse))
    if certificate is not None:
        write_certificate(certificate, request, found)
    if request.systems is not None:
        show_ranking(found, as_json=as_json)
        return DONE
    show(found, as_json=as_json)
    confirmed = found["engine"] is None or found["engine"]["agrees"]
    return DONE if confirmed else CHECK_FAILED


def _check(certificate: Path, others: list[str], as_json: bool) -> int:
    """Check a certificate; return the exit code."""
    from raysed.cli.certificate_text import show_check
    from raysed.evaluation.score.certificate import check_certificate

    if others:
        option = "map" if others[0] == "label_map" else others[0].replace("_", "-")
        raise ValueError(
            f"--check takes files and options from the certificate: leave out --{option}"
        )
    found = check_certificate(certificate)
    show_check(found, as_json=as_json)
    return DONE if found["same"] else CHECK_FAILED
