"""The plan of a space as text: its sets, its trainings, and what stands in the way."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from raysed.report.table_metrics import TABLE_METRICS, number
from raysed.text import counted


def print_preview(plan: dict[str, Any], console: Console) -> None:
    """Print what `preview` found."""
    seeds = "," if plan["rounds"] else f" x {counted(len(plan['seeds']), 'seed')} ="
    console.print(
        f"[bold]{plan['space']}[/bold]: {counted(len(plan['cells']), 'cell')},"
        f" {counted(len(plan['trainings']), 'training')}{seeds}"
        f" {counted(plan['trials'], 'trial')}, {plan['trials_finished']} finished",
        highlight=False,
    )
    if plan["rounds"]:
        console.print(_rounds(plan["rounds"]), highlight=False, soft_wrap=True)
    console.print(_sets(plan))
    console.print(_trainings(plan))
    if plan["external"]:
        console.print(_external(plan))
    if plan["claims"]:
        console.print(_claims(plan))
        for line in _about_power(plan):
            console.print(line, highlight=False, soft_wrap=True)
    for line in _summary(plan):
        console.print(line, highlight=False, soft_wrap=True)
    for note in plan["notes"]:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    for fault in plan["refusals"]:
        console.print(f"refused: {fault}", highlight=False, markup=False, soft_wrap=True)
    if not plan["refusals"]:
        console.print("Nothing stands in the way: the same command without --plan starts it.")


def _rounds(rounds: dict[str, Any]) -> str:
    """Say how the seeds grow, and from how few to how many trials."""
    looks = ", ".join(map(str, rounds["looks"]))
    if rounds["over"]:
        return f"Seeds grow: looks after {looks} seeds; {counted(rounds['looks_made'], 'look')} made, no round is left."
    hours = rounds["most_hours"]
    time = "" if hours is None else f", about {_hours(hours)} h for those left of the most"
    return (
        f"Seeds grow: rounds up to {looks} seeds, a look after each ({rounds['looks_made']} made); further seeds go where"
        f" claims and contrasts are open: {rounds['least_trials']} to {rounds['most_trials']} trials{time}."
    )


def _sets(plan: dict[str, Any]) -> Table:
    table = Table("data set", title=f"Data job {plan['job']}", title_justify="left")
    for column in ("state", "clips", "asked", "missing", "MB to write"):
        table.add_column(column, justify="left" if column == "state" else "right")
    for entry in plan["datasets"]:
        about = "" if entry["state"] == "present" else "about "
        table.add_row(
            entry["name"],
            entry["state"].replace("_", " "),
            f"{about if entry['asked'] != entry['clips'] else ''}{entry['clips']:,}",
            f"{entry['asked']:,}",
            f"{entry['missing']:,}",
            f"{entry['bytes'] / 1e6:,.0f}",
        )
    return table


def _trainings(plan: dict[str, Any]) -> Table:
    table = Table("training", "cells", title="Trainings", title_justify="left")
    table.add_column("steps", justify="right")
    table.add_column("hours each", justify="right")
    for training in plan["trainings"]:
        seconds = training["seconds"]
        table.add_row(
            training["id"],
            " ".join(training["cells"]),
            "?" if training["steps"] is None else f"{training['steps']:,}",
            "?" if seconds is None else _hours(seconds / 3600),
        )
    return table


def _external(plan: dict[str, Any]) -> Table:
    title = "Systems from elsewhere (scored, not trained)"
    table = Table("cell", "id", "set", "predictions", title=title, title_justify="left")
    table.add_column("files", justify="right")
    for row in plan["external"]:
        paths = "\n".join(row["predictions"].values())
        table.add_row(row["cell"], row["id"], row["evaluation"], escape(paths), f"{row['files']:,}")
    return table


STATES = {
    "decidable": "can be decided",
    "open": "needs more seeds",
    "never": "never, on these clips",
    "unknown": "not known: not all is published",
}


def _claims(plan: dict[str, Any]) -> Table:
    """Return what each claim can settle, were the published values the truth."""
    table = Table("claim", "with these seeds", title="Claims", title_justify="left")
    table.add_column("seeds it takes", justify="right")
    table.add_column("tells apart", justify="right")
    table.add_column("seeds to agree", justify="right")
    for claim in plan["claims"]:
        power = claim["power"]
        table.add_row(
            claim["id"],
            STATES[power["state"]],
            _count(power["seeds_needed"]),
            "  ".join(_resolved(metric, size) for metric, size in power["resolves"].items()) or "?",
            _count(power["seeds_to_agree"]),
        )
    return table


def _resolved(metric: str, size: float) -> str:
    """Return a difference with its metric: `event F1 % 5.9`."""
    return f"{TABLE_METRICS[metric].column} {number(size, metric)}"


def _count(seeds: int | None) -> str:
    return "-" if seeds is None else str(seeds)


def _about_power(plan: dict[str, Any]) -> list[str]:
    """Say what the table of claims assumes."""
    sources = dict.fromkeys(claim["power"]["source"] for claim in plan["claims"])
    seeds = f" With {plan['rounds']['looks'][-1]} seeds, the most." if plan["rounds"] else ""
    return [
        "Claims: decided with a probability of 80 %, if the published differences are the true ones; - where no number of"
        f" seeds is enough.{seeds}",
        *(f"It rests on {source}." for source in sources if source),
    ]


def _summary(plan: dict[str, Any]) -> list[str]:
    each, cluster, written = plan["resources_per_trial"], plan["cluster"], plan["bytes_to_write"]
    gpus = f" and {each['gpus_per_worker']:g} GPU" if each["gpus_per_worker"] else ""
    hours = plan["estimated_hours"]
    return [
        f"A trial takes {each['workers']} x {each['cpus_per_worker']} CPU{gpus}; the cluster has"
        f" {cluster['cpus']:g} CPUs and {cluster['gpus']:g} GPUs:"
        f" {counted(plan['concurrent_trials'], 'trial')} at once.",
        f"About {written['data'] / 1e9:.2f} GB of data sets and {written['run'] / 1e9:.2f} GB of trials to write.",
        "Time: unknown."
        if hours is None
        else f"Time: about {_hours(hours)} h for the trials left (estimated).",
    ]


def _hours(hours: float) -> str:
    return f"{hours:.2f}" if hours < 10 else f"{hours:,.0f}"
