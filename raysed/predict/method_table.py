"""The methods of post-processing beside each other, as text and as JSON."""

from dataclasses import asdict
from typing import Any

from raysed.evaluation.metrics.registry import METRICS
from raysed.evaluation.postprocessing.comparison import MethodColumn, MetricValue
from raysed.evaluation.postprocessing.methods import METHODS


def method_table(
    columns: list[MethodColumn], goal: str, against: str = "the trial's own"
) -> list[str]:
    """Return a Markdown table: a row for each method and way of tuning, and what its signs mean."""
    names = list(columns[0].values)
    drawn = "clips" if columns[0].statistics.groups_N is None else "groups of clips"
    heads = [METRICS[name].column for name in names]
    lines = [
        "| post-processing | tuned | " + " | ".join(heads) + " |",
        "|---" * (len(heads) + 2) + "|",
    ]
    for column in columns:
        cells = [_cell(name, column.values[name]) for name in names]
        lines.append(f"| {METHODS[column.method].title} | {column.how} | {' | '.join(cells)} |")
    return [
        *lines,
        "",
        f"Settings are chosen for {METRICS[goal].title}, thresholds for event-based F1, class by class. In brackets 95 % "
        f"over {drawn}; then the difference to "
        + against
        + ", paired. Cross-fitted: each fifth of the clips decoded "
        "by what the other four choose; `fit` is what tuning on these very clips would have claimed beyond that.",
    ]


def columns_as_json(columns: list[MethodColumn]) -> list[dict[str, Any]]:
    """Return the same for programs, as fractions, with what was chosen for each class."""
    return [
        {
            "method": column.method,
            "how": column.how,
            "metrics": {
                name: asdict(value) | {"gain": None if value.gain is None else asdict(value.gain)}
                for name, value in column.values.items()
            },
            "chosen": {
                label: {"threshold": threshold, **setting._asdict()}
                for label, (setting, threshold) in column.chosen.items()
            },
        }
        for column in columns
    ]


def _cell(name: str, value: MetricValue) -> str:
    metric = METRICS[name]

    def text(number: float, sign: str = "") -> str:
        return f"{number * metric.scale:{sign}.{metric.digits}f}"

    cell = f"{text(value.value)} [{text(value.low)}, {text(value.high)}]"
    if value.gain is not None:
        gain = value.gain
        cell += f" {text(gain.difference, '+')} [{text(gain.low, '+')}, {text(gain.high, '+')}]"
    if value.optimism is not None:
        cell += f" fit {text(value.optimism, '+')}"
    return cell
