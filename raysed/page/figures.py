"""The page's figures as PNG and SVG for papers: RUN/figures/*.

One and two columns of a two-column page (3.5 and 7.16 inches), text of 7 points and more, colours of Okabe &
Ito and viridis, which the colour-blind tell apart; what a colour tells, a shape or a position tells too.
"""

import io
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from raysed.page.layout import (
    BLUE,
    COLOURS,
    COLUMN_IN,
    DASHES,
    GREY,
    ORANGE,
    PAGE_IN,
    STYLE,
    TALL_IN,
    dashes_of,
    line_key,
    mark_key,
    panels,
    published_mark,
    rows_of,
    shortened,
)
from raysed.run.folders import FIGURES
from raysed.storage.folder import Folder

OUTCOMES = {"higher": BLUE, "lower": ORANGE, "undecided": GREY}
DPI = 300
MAX_PANELS = 30
"""The most panels of one figure; further cells are drawn in further figures."""


def write_figures(run: Folder, content: dict[str, Any]) -> list[str]:
    """Write every figure that has content; return a line for each."""
    lines = []
    with mpl.rc_context(STYLE):
        for name, figure in figures(content):
            FigureCanvasAgg(figure)
            figure.draw_without_rendering()
            figure.set_layout_engine(
                "none"
            )  # keep this layout, which each file format would compute again
            for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
                buffer = io.BytesIO()
                figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
                run.write(f"{FIGURES}/{name}.{kind}", buffer.getvalue())
            lines.append(f"wrote {run.url}/{FIGURES}/{name}.{{png,svg}}")
    return lines


def figures(content: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    """Yield name and figure; a name says what is drawn, on which set, in which metric."""
    for evaluation in content["evaluations"]:
        for metric in content["metrics"]:
            stem = metric["id"].replace(":", ".")  # that of one's own has a colon
            rows = _of(
                content["contrasts"], evaluation=evaluation, metric=metric["id"], mirrored=False
            )
            if rows:
                yield f"forest-{evaluation}-{stem}", forest(rows, metric)
            values = _of(content["values"], evaluation=evaluation, metric=metric["id"])
            if values := [row for row in values if row["value"] is not None]:
                yield (
                    f"seeds-{evaluation}-{stem}",
                    seeds(values, metric, content["run"]["seeds"]),
                )
        shown = _of(content["roc"]["curves"], evaluation=evaluation)
        against = _compared(shown, content["contrasts"])
        yield from _numbered(f"roc-{evaluation}", shown, lambda rows, to=against: roc(rows, to))
    for table in content["classes"]:
        yield f"classes-{table['evaluation']}", heat(table)
    started = [trial for trial in content["trials"] if trial["epochs"]]
    yield from _numbered(
        "xvalid", _by_training(started), lambda rows: training_curves(rows, "xvalid")
    )
    yield from _numbered(
        "loss", _by_training(started), lambda rows: training_curves(rows, "losses")
    )
    if several := _several_choices(content["selection"]):
        for metric in content["metrics"]:
            yield f"selection-{metric['id'].replace(':', '.')}", selection(several, metric)


def forest(rows: list[dict[str, Any]], metric: dict[str, Any]) -> Figure:
    """Draw differences with simultaneous intervals, and the published ones."""
    figure, axis = rows_of(rows, [f"{row['cell']} \u2212 {row['against']}" for row in rows])
    for y, row in enumerate(rows):
        scale, colour = metric["scale"], OUTCOMES.get(row["outcome"], GREY)
        low, centre, high = (
            row[key] * scale for key in ("simultaneous_low", "difference", "simultaneous_high")
        )
        axis.errorbar(
            centre, y, xerr=[[centre - low], [high - centre]], fmt="s", ms=3.5, color=colour,
            capsize=2, lw=1.1,
        )  # fmt: skip
        if row["published"] is not None:
            published_mark(axis, row["published"] * scale, y)
    axis.axvline(0, color="black", lw=0.7)
    axis.set_xlabel(f"difference in {metric['title']} (simultaneous 95 % intervals)")
    found = {row["outcome"] for row in rows}
    mark_key(figure, rows, {word: ("s", OUTCOMES[word]) for word in OUTCOMES if word in found})
    return figure


def seeds(rows: list[dict[str, Any]], metric: dict[str, Any], names: list[int]) -> Figure:
    """Draw every seed of every cell, and the interval of their mean."""
    figure, axis = rows_of(rows, [row["cell"] for row in rows])
    for y, row in enumerate(rows):
        scale = metric["scale"]
        axis.plot([row["low"] * scale, row["high"] * scale], [y, y], color=GREY, lw=1)
        for value, colour in zip(row["seed_values"], cycle(COLOURS), strict=False):
            if value is not None:
                axis.plot(value * scale, y, "o", ms=3, color=colour, alpha=0.85)
        if row["published"] is not None:
            published_mark(axis, row["published"] * scale, y)
    axis.set_xlabel(f"{metric['title']}, each seed; bar: 95 % interval of the mean")
    marks = zip(names, cycle(COLOURS), strict=False)
    mark_key(figure, rows, {f"seed {name}": ("o", colour) for name, colour in marks})
    return figure


def roc(rows: list[dict[str, Any]], against: dict[str, dict[str, Any]]) -> Figure:
    """Draw the PSD-ROC of up to MAX_PANELS cells; grey is that of the cell that each is compared with (cell
    -> its row).
    """
    figure, axes = panels(len(rows))
    others = [against.get(row["cell"]) for row in rows]
    for axis, row, other in zip(axes, rows, others, strict=True):
        # Missing values (no class has ground truth) are None.
        efpr_X, low_X, high_X, etpr_X = (
            np.array(row[key], dtype=float) for key in ("efpr", "low", "high", "etpr")
        )
        axis.fill_between(efpr_X, low_X, high_X, step="post", color=BLUE, alpha=0.25, lw=0)
        title = shortened(row["cell"], 18)
        if other is not None:
            height_X = np.array(other["etpr"], dtype=float)
            axis.step(other["efpr"], height_X, where="post", color=GREY, ls="--", lw=0.9)
            title += f"\ngrey: {shortened(other['cell'], 14)}"
        axis.step(efpr_X, etpr_X, where="post", color=BLUE)
        axis.set(title=title, xlim=(0, efpr_X[-1]))
    drawn = [*(row["high"] for row in rows), *(row["etpr"] for row in (*rows, *others) if row)]
    tallest = [value for values in drawn for value in values if value is not None]
    axes[0].set_ylim(0, min(1.0, 1.05 * max(tallest, default=0.0)) or 1.0)  # shared by all
    figure.supxlabel("effective FP per hour", fontsize=8)
    figure.supylabel("effective TP ratio", fontsize=8)
    return figure


def training_curves(trainings: list[list[dict[str, Any]]], what: str) -> Figure:
    """Draw the event F1 on the x-valid sets, or the training loss, after each epoch; one panel for each
    training.
    """
    figure, axes = panels(len(trainings))
    trials = [trial for rows in trainings for trial in rows]
    names = list(dict.fromkeys(name for trial in trials for name in trial["xvalid"]))
    colours = dict(zip(names, cycle(COLOURS), strict=False))
    seeds = sorted({trial["seed"] for trial in trials})
    for axis, rows in zip(axes, trainings, strict=True):
        for trial in rows:
            _draw_curves(axis, trial, what, colours, dashes_of(seeds)[trial["seed"]])
        axis.set_title(shortened(", ".join(rows[0]["cells"]), 18))
    drawn = [np.asarray(line.get_ydata(), dtype=float) for axis in axes for line in axis.lines]
    known = np.concatenate([*drawn, [0.0]])
    axes[0].set_ylim(0, 1.05 * float(np.nanmax(known)) or 1.0)  # shared by all
    figure.supxlabel("epoch", fontsize=8)
    figure.supylabel("training loss" if what == "losses" else "x-valid event F1", fontsize=8)
    line_key(figure, colours if what == "xvalid" and len(names) > 1 else {}, seeds)
    return figure


def _draw_curves(
    axis: Any, trial: dict[str, Any], what: str, colours: dict[str, str], dashes: Any
) -> None:
    """Draw one trial's lines. For x-valid they are those of the network that it selects, with a dot at the
    selected epoch.
    """
    if what == "losses":
        values = np.array(trial["losses"].get("loss", []), dtype=float)
        axis.plot(np.arange(1, len(values) + 1), values, ls=dashes, color=BLUE)
        return
    for name, networks in trial["xvalid"].items():
        values = np.array(networks[trial["network"]], dtype=float)
        axis.plot(np.arange(1, len(values) + 1), values, ls=dashes, color=colours[name])
        if (chosen := trial["selected"].get(name)) is not None:
            epoch = chosen["epoch"]
            axis.plot(epoch + 1, values[epoch], "o", ms=3, color=colours[name])


def heat(table: dict[str, Any]) -> Figure:
    """Draw the event F1 of every class and cell, with numbers where they can be read."""
    cells = list(table["cells"])
    f1_KC = 100 * np.array([table["cells"][cell] for cell in cells], dtype=float).T
    height = min(0.9 + 0.17 * len(table["classes"]), TALL_IN)
    figure = Figure(figsize=(PAGE_IN, height), layout="constrained")
    axis = figure.subplots()
    best = float(np.nanmax(np.append(f1_KC, 1.0)))
    image = axis.imshow(f1_KC, vmin=0, vmax=best, cmap="viridis", aspect="auto")
    axis.set_xticks(
        range(len(cells)), [shortened(cell, 16) for cell in cells], rotation=60, ha="right"
    )
    if len(table["classes"]) <= 48:
        axis.set_yticks(
            range(len(table["classes"])), [shortened(name) for name in table["classes"]]
        )
        for k, c in np.argwhere(~np.isnan(f1_KC)):
            colour = "white" if f1_KC[k, c] < 0.5 * best else "black"
            axis.text(
                c, k, f"{f1_KC[k, c]:.0f}", ha="center", va="center", fontsize=7, color=colour
            )
    else:
        axis.set_ylabel(f"{len(table['classes'])} classes, in the order of their names")
    axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axis, label="event F1 %", shrink=0.8)
    return figure


def selection(trials: list[list[dict[str, Any]]], metric: dict[str, Any]) -> Figure:
    """Draw what each x-valid set chose out of the same training (the paper's Table 6); one line for each
    trial, named by its first cell.
    """
    names = list(dict.fromkeys(row["xvalid"] for rows in trials for row in rows))
    trainings = list(dict.fromkeys(rows[0]["training"] for rows in trials))
    figure = Figure(figsize=(COLUMN_IN, 3.2), layout="constrained")
    axis = figure.subplots()
    for unsorted in trials:
        first, rows = unsorted[0], sorted(unsorted, key=lambda row: names.index(row["xvalid"]))
        places = [names.index(row["xvalid"]) for row in rows]
        heights = np.array([row[metric["id"]] for row in rows], dtype=float) * metric["scale"]
        colour = COLOURS[trainings.index(first["training"]) % len(COLOURS)]
        dashes = DASHES[first["seed"] % len(DASHES)]
        label = f"{shortened(first['cells'][0], 18)}, seed {first['seed']}"
        axis.plot(places, heights, ls=dashes, marker="o", ms=3.5, color=colour, label=label)
    axis.set_xticks(
        range(len(names)), [shortened(name, 18) for name in names], rotation=20, ha="right"
    )
    axis.set_ylim(bottom=0)
    axis.set_ylabel(metric["title"])
    axis.set_xlabel("x-valid set that selects the epoch")
    if len(trials) <= 8:
        figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _several_choices(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the rows of each trial with several x-valid sets, on the first evaluation set."""
    trials: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["evaluation"] == rows[0]["evaluation"]:
            trials.setdefault(row["trial"], []).append(row)
    return [rows for rows in trials.values() if len(rows) > 1]


def _numbered(
    name: str, rows: list[Any], draw: Callable[[list[Any]], Figure]
) -> Iterator[tuple[str, Figure]]:
    """Yield as many figures as hold all rows."""
    for number, first in enumerate(range(0, len(rows), MAX_PANELS), 1):
        suffix = f"-{number}" if len(rows) > MAX_PANELS else ""
        yield f"{name}{suffix}", draw(rows[first : first + MAX_PANELS])


def _by_training(trials: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    names = dict.fromkeys(trial["training"] for trial in trials)
    return [[trial for trial in trials if trial["training"] == name] for name in names]


def _compared(
    curves: list[dict[str, Any]], contrasts: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return cell -> the curve of the first cell that it is compared with."""
    by_cell = {row["cell"]: row for row in curves}
    pairs = [(row["cell"], row["against"]) for row in contrasts if not row["mirrored"]]
    return {cell: by_cell[other] for cell, other in reversed(pairs) if other in by_cell}


def _of(rows: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]
