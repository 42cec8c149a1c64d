"""Sizes, colours, dashes and axes that the figures for papers share; the page's own are in assets/."""

from itertools import cycle
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

COLUMN_IN, PAGE_IN, TALL_IN = 3.5, 7.16, 9.2
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6b7280"
COLOURS = (BLUE, ORANGE, GREEN, PINK, "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.", (0, (9, 2)), (0, (6, 1, 1, 1, 1, 1)))
"""Dashes of the seeds, in their order; the page has the same."""
STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.1,
    "svg.fonttype": "none",
    "svg.hashsalt": "raysed",
}


def rows_of(rows: list[dict[str, Any]], labels: list[str]) -> tuple[Figure, Any]:
    """Make a figure with a labelled row for each name, the first on top."""
    height = min(0.9 + 0.17 * len(rows), TALL_IN)
    figure = Figure(figsize=(PAGE_IN, height), layout="constrained")
    axis = figure.subplots()
    axis.set_yticks(range(len(rows)), [shortened(label) for label in labels])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.grid(axis="x", color="#dddddd", lw=0.5)
    axis.set_axisbelow(True)
    return figure, axis


def panels(count: int) -> tuple[Figure, list[Any]]:
    """Make small axes that share their scales, at most six in a row."""
    columns = min(count, 6)
    lines = -(-count // columns)
    width = PAGE_IN if columns > 2 else COLUMN_IN
    figure = Figure(figsize=(width, 0.5 + 1.25 * lines), layout="constrained")
    axes = list(figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).flat)
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count]


def published_mark(axis: Any, value: float, y: float) -> None:
    """Draw a published value as a hollow diamond."""
    axis.plot(value, y, "D", ms=5, mfc="none", mec=PINK, mew=1.2, zorder=3)


def mark_key(figure: Figure, rows: list[dict[str, Any]], marks: dict[str, tuple[str, str]]) -> None:
    """Explain the marks (name -> form and colour) and the hollow diamond above the axes, where the key cannot
    be mistaken for a value.
    """
    handles = [
        Line2D([], [], ls="", marker=form, ms=3.5, color=colour, label=name)
        for name, (form, colour) in marks.items()
    ]
    if any(row["published"] is not None for row in rows):
        hollow = {"mfc": "none", "mec": PINK, "mew": 1.2}
        handles.append(Line2D([], [], ls="", marker="D", ms=5, label="published", **hollow))
    figure.legend(handles=handles, loc="outside upper center", ncols=8, frameon=False)


def dashes_of(seeds: list[int]) -> dict[int, Any]:
    """Return each seed's dashes, which repeat after the last of `DASHES`."""
    return dict(zip(seeds, cycle(DASHES), strict=False))


def line_key(figure: Figure, colours: dict[str, str], seeds: list[int]) -> None:
    """Explain above the axes the colours of lines, and the dashes of each seed where there are several."""
    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    if len(seeds) > 1:
        dashes = dashes_of(seeds)
        for dash in DASHES[: len(seeds)]:
            own = ", ".join(str(seed) for seed in seeds if dashes[seed] == dash)
            handles.append(Line2D([], [], color="black", ls=dash, label=f"seed {own}"))
    if handles:
        columns = 4 if figure.get_figwidth() == PAGE_IN else 2
        figure.legend(
            handles=handles, loc="outside upper center", ncols=columns, frameon=False,
            handlelength=3.2,
        )  # fmt: skip


def shortened(text: str, most: int = 40) -> str:
    """Return a text that fits, with dollars escaped for matplotlib."""
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return text.replace("$", r"\$")
