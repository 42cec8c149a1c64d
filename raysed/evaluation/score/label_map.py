"""Other names for the classes of predictions: what a system calls them, and what the ground truth does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.score_files import AnyScores, ScoreFiles, highest_of
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
    read: AnyScores, columns: Sequence[str], classes: Sequence[str], names: Mapping[str, str]
) -> AnyScores:
    """Return the scores of `classes`, each the highest of the columns that stand for it; without any, none."""
    called = [names.get(column, column) for column in columns]
    own = tuple(
        tuple(place for place, name in enumerate(called) if name == label) for label in classes
    )
    if isinstance(read, ScoreFiles):
        return replace(read, own=own)
    scores = [highest_of(scores_TK, own) for scores_TK in read.scores_NTK]
    return FrameScores(np.stack(scores), read.edges_NT1)
