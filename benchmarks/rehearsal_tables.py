"""The results of a rehearsal as figures that carry over: seconds for a clip, an epoch of the full size."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

BUILDS = ("soundscapes", "labelled", "unlabelled")
SHARES = {"train_pitch_dry": 6, "unlabelled": 12, "weak": 6}
"""The numbers of clips of each set in the paper's batch of 24."""


def full_steps(clips: Mapping[str, int]) -> int:
    """Return the steps of an epoch: until the first set has no full share left."""
    return min(clips[name] // share for name, share in SHARES.items())


def warm_s(part: Mapping[str, float]) -> float:
    """Return the CPU seconds of a call; the first, which compiles, is left out where there are more."""
    if part["calls"] == 1:
        return part["cpu_s"]
    return (part["cpu_s"] - part["first_cpu_s"]) / (part["calls"] - 1)


def seconds_of_an_epoch(
    epoch: Mapping[str, Any], built: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the CPU seconds of a whole epoch from the steps that were taken, and the share that is not the
    model's.

    Work that is done once an epoch (x-valid with both networks, the checkpoint) counts once, a step as often
    as the epoch has steps. Compilation, which is done once a process, is reported separately.
    """
    parts = epoch["parts"]
    taken = parts["step"]["calls"]
    whole = full_steps({name: about["clips"] for name, about in built.items()})
    step_s, inputs_s = warm_s(parts["step"]), warm_s(parts["inputs"])
    within = parts["training"]["cpu_s"] - parts["step"]["cpu_s"] - parts["inputs"]["cpu_s"]
    forward_s, f1_s = (2 * warm_s(parts[name]) for name in ("x-valid forward", "x-valid F1"))
    checkpoint_s = parts["checkpoint"]["cpu_s"]
    seconds = whole * (step_s + inputs_s + within / taken) + forward_s + f1_s + checkpoint_s
    model_s = whole * step_s + forward_s
    first = sum(
        max(parts[n]["first_cpu_s"] - warm_s(parts[n]), 0.0) for n in ("step", "x-valid F1")
    )
    return {
        "steps": whole,
        "steps_taken": taken,
        "extrapolated": taken < whole,
        "cpu_s": round(seconds, 1),
        "step_cpu_s": round(step_s, 3),
        "compiling_cpu_s": round(first, 1),
        "not_in_the_model": round(1 - model_s / seconds, 4),
        "inputs_share": round(whole * inputs_s / seconds, 4),
        "xvalid_forward_share": round(forward_s / seconds, 4),
        "xvalid_f1_share": round(f1_s / seconds, 4),
        "checkpoint_share": round(checkpoint_s / seconds, 4),
    }


def stage_table(found: Mapping[str, Any]) -> None:
    """Print what each stage took."""
    stages = [name for name in (*BUILDS, "cache", "report") if name in found]
    table = Table("stage", "clips", "CPU s", "wall s", "clips/CPU s", "MB", "peak MB")
    for name in stages:
        table.add_row(*_row(name, found[name]))
    for name, part in found.get("epoch", {"parts": {}})["parts"].items():
        figures = (f"{part[key]:.1f}" for key in ("cpu_s", "wall_s"))
        table.add_row(f"  {name}, {part['calls']:.0f} calls", "", *figures)
    Console(width=120).print(table)
    kinds = Table("stage", "process", "number", "CPU s", "peak MB")
    for name in stages:
        for kind, took in found[name].get("processes", {}).items():
            kinds.add_row(name, kind, *map(str, took.values()))
    for trials in found.get("trials", ()):
        kinds.add_row("", "trial", str(trials["trials"]), "", str(trials["peak_rss_mb"]))
    Console(width=120).print(kinds)


def _row(name: str, stage: Mapping[str, Any]) -> list[str]:
    clips = sum(one["clips"] for one in stage["sets"].values()) if "sets" in stage else 0
    clips = clips or sum(stage.get("clips", {}).values())
    peaks = [kind["peak_rss_mb"] for kind in stage.get("processes", {}).values()]
    rate = clips * stage.get("share_built", 1.0) / stage["cpu_s"]
    return [
        name,
        str(clips or ""),
        f"{stage['cpu_s']:.1f}",
        f"{stage['wall_s']:.1f}",
        f"{rate:.1f}" if clips else "",
        f"{stage['bytes'] / 1e6:.0f}",
        str(max(peaks, default=stage.get("peak_rss_mb", ""))),
    ]
