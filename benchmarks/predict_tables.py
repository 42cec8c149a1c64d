"""The tables of docs/predict.md, from benchmarks/results/predict.json; `python -m benchmarks.predict` prints them."""

from collections.abc import Mapping
from typing import Any


def tables(content: Mapping[str, Any]) -> list[str]:
    """Return lines of Markdown: the agreement of events, an empty line, and the cost of each length."""
    return [*_agreement(content), "", *_costs(content)]


def _agreement(content: Mapping[str, Any]) -> list[str]:
    lines = [
        "| threshold | events of the clips alone | that touch no joint | equal in the file (a file's share) "
        "| inside an event at a joint | the file's pieces of events at a joint | others |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in content["agreement"]:
        equal = str(one["equal"])
        if one["apart"]:
            equal += (
                f" ({100 * one['equal_share_min']:.0f} to {100 * one['equal_share_max']:.0f} %)"
            )
        cells = [one["threshold"], one["alone"], one["apart"], equal, one["covered"]]
        cells += [one["left"], one["other"] + one["new"]]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return lines


def _costs(content: Mapping[str, Any]) -> list[str]:
    lines = [
        "| audio (FLAC) | n | peak memory, MB (from to) | CPU s with start-up (from to) | times real time | events |",
        "|---|---|---|---|---|---|",
    ]
    for one in content["costs"]:
        spread = [_spread(one["peak_mb"], one["n"], 0), _spread(one["cpu_s"], one["n"], 1)]
        cells = [_length(one["audio_s"]), str(one["n"]), *spread]
        cells += [f"{one['times_real_time']:,}", f"{one['events']:,}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _spread(values: Mapping[str, float], n: int, digits: int) -> str:
    middle = f"{values['median']:,.{digits}f}"
    if n == 1:
        return middle
    return f"{middle} ({values['min']:,.{digits}f} to {values['max']:,.{digits}f})"


def _length(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 3600 else f"{seconds / 3600:.0f} hours"
