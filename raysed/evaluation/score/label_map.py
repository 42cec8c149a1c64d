"""Other names for the classes of predictions: what a system calls them, and what the ground truth does."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from raysed.evaluation.detections.frame_scores import NO_SCORE, FrameScores
from raysed.storage.tab_separated import read_table

_COLUMNS = ("predicted", "event_label")


def read_label_map(path: Path) -> dict[str, str]:
    """Read a TSV of a system's names (`predicted`) and those of the ground truth (`event_label`).

    Raises ValueError, naming file and line, for empty names and for a name that stands for two.
    """
    table = read_table(path, _COLUMNS)
    table.refuse_faults()
    places = [table.columns.index(column) for column in _COLUMNS]
    found: dict[str, str] = {}
    for line, row in zip(table.lines, table.rows, strict=True):
        name, label = (row[place] for place in places)
        if not name or not label:
            raise ValueError(f"{path}, line {line}: an empty name; give {' and '.join(_COLUMNS)}")
        if found.setdefault(name, label) != label:
            raise ValueError(f"{path}, line {line}: {name} is {found[name]} and {label}; give one")
    return found


def refuse_unknown(classes: Sequence[str], known: Sequence[str], where: str) -> None:
    """Raise ValueError for classes that the ground truth does not have, with the nearest names."""
    for label in classes:
        if label not in known:
            near = get_close_matches(label, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"{where}: {label} is no class of the ground truth ({', '.join(known)}){hint}"
            )


def mapped_scores(
    read: FrameScores, columns: Sequence[str], classes: Sequence[str], names: Mapping[str, str]
) -> FrameScores:
    """Return the scores of `classes`, each the highest of the columns that stand for it; without any, none."""
    called = [names.get(column, column) for column in columns]
    shape = (*read.scores_NTK.shape[:2], len(classes))
    scores_NTK = np.full(shape, NO_SCORE, read.scores_NTK.dtype)
    for k, label in enumerate(classes):
        own = [place for place, name in enumerate(called) if name == label]
        if own:
            scores_NTK[..., k] = read.scores_NTK[..., own].max(axis=2)
    return FrameScores(scores_NTK, read.edges_NT1)
