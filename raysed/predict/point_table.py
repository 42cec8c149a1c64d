"""Operating points as text and as JSON."""

import math
from dataclasses import asdict
from typing import Any

from raysed.evaluation.postprocessing.operating_points import OperatingPoint, Rate, WantedRate

ON_XVALID = "They were chosen on x-valid and are judged on the evaluation set."
CROSS_FITTED = "Each is the choice of all clips; precision and recall are of each fifth at what the other four choose."


def point_table(points: list[OperatingPoint], wanted: WantedRate, judged: str) -> list[str]:
    """Return a Markdown table: a row for each class, and what its columns mean."""
    lines = [
        "| class | threshold | precision [95 %] | recall [95 %] | kept |",
        "|---|---|---|---|---|",
        *(
            f"| {point.label} | {point.threshold:.2f}{'' if point.reached else ' (not reached)'} | "
            f"{_rate(point.precision)} | {_rate(point.recall)} | {point.kept(wanted)} |"
            for point in points
        ),
        "",
        f"Thresholds for a {wanted.rate} of {wanted.value:g} in each class; of those that reach it the one with the most of"
        f" the other rate. {judged} An event is right where it and the annotated ones share at least half their time"
        " (intersection, 0.5). `kept`: yes where the whole interval is at or above what is wanted, no where it is below.",
    ]
    missed = [point.label for point in points if not point.reached]
    if missed:
        lines.append(
            f"No threshold reaches it for {', '.join(missed)}: the one that comes nearest is given."
        )
    return lines


def points_as_json(points: list[OperatingPoint], wanted: WantedRate) -> dict[str, Any]:
    """Return the same for programs, fractions; `threshold` is what `raysed predict --postprocessing` reads."""
    return {
        "wanted": wanted._asdict(),
        "threshold": {point.label: point.threshold for point in points},
        "classes": {
            point.label: asdict(point)
            | {"precision": _known(point.precision), "recall": _known(point.recall)}
            | {"kept": point.kept(wanted)}
            for point in points
        },
    }


def _rate(rate: Rate) -> str:
    if math.isnan(rate.value):
        return "nothing found"
    return f"{rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}]"


def _known(rate: Rate) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in rate._asdict().items()}
