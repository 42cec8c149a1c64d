"""The ledger of a run as Markdown, and as the lines that the terminal shows."""

from collections.abc import Sequence
from typing import Any

from raysed.report.ledger import PARTS, psds_metrics
from raysed.report.markdown import aligned, without_empty_columns
from raysed.report.table_metrics import TABLE_METRICS, number
from raysed.run.run_plan import RunPlan

NOT_MEASURED = "not measured"


def ledger_table(plan: RunPlan, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the ledger as lines of Markdown."""
    if not rows:
        return []
    weighted = plan.energy_baseline is not None
    names = {f"ew_{m}_{part}": (m, part) for m in psds_metrics(plan) for part in PARTS if weighted}
    heads = [
        "cell",
        "set",
        "seeds",
        "MACs for 10 s",
        *(f"kWh, {part}" for part in PARTS),
        "counted",
    ]
    heads += [f"EW-{TABLE_METRICS[metric].column} ({part})" for metric, part in names.values()]
    table = [heads]
    for row in rows:
        texts = [row["cell"], row["set"], str(row["seeds"]), _macs(row["macs_10s"])]
        texts += [kwh_text(row[f"{part}_kwh"]) for part in PARTS]
        texts.append(row["training_counted"] or row["evaluation_counted"])
        for name, (metric, _) in names.items():
            texts.append(NOT_MEASURED if row[name] is None else number(row[name], metric))
        table.append(texts)
    note = "kWh of a trial, mean over seeds; MACs of one forward pass, as THOP counts them."
    if weighted:
        note += f" EW-PSDS is PSDS times the kWh of {plan.energy_baseline} over the cell's own."
    return ["Operations and energy", "", *aligned(without_empty_columns(table)), "", note, ""]


def kwh_text(kwh: float | None) -> str:
    """Format an energy: 1.390, 0.00042, or `not measured`."""
    return NOT_MEASURED if kwh is None else f"{kwh:.3f}" if kwh >= 1 else f"{kwh:.2g}"


def _macs(macs: float | None) -> str:
    return "not counted" if macs is None else f"{macs / 1e6:,.1f} M"


def ledger_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines that the terminal shows, which the table has in full."""
    if not rows:
        return []
    macs = sorted(row["macs_10s"] for row in rows if row["macs_10s"] is not None)
    ends = " to ".join(dict.fromkeys(map(_macs, [macs[0], macs[-1]]))) if macs else "not counted"
    trainings = {row["training"]: row for row in rows}.values()
    measured = [row for row in trainings if row["training_kwh"] is not None]
    energy = NOT_MEASURED
    if measured:
        kwh = sum(
            row["seeds"] * (row["training_kwh"] + (row["evaluation_kwh"] or 0.0))
            for row in measured
        )
        trials = (sum(row["seeds"] for row in some) for some in (measured, trainings))
        counted = ", ".join(dict.fromkeys(row["training_counted"] for row in measured))
        energy = f"{kwh_text(kwh)} kWh in {' of '.join(map(str, trials))} trials ({counted})"
    return [
        f"Operations for 10 s of audio: {ends} MACs. Energy: {energy}. More in tables/ledger.md.",
        "",
    ]
