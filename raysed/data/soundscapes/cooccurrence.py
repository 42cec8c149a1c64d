"""The co-occurrence file: the labels that soundscapes are made around, and the labels that occur with them."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from raysed.data.soundscapes.placement import split_label
from raysed.storage.files import read_bytes
from raysed.storage.places import is_file


@dataclass(frozen=True)
class Cooccurrence:
    """Soundscapes around one label: their share, and the other labels in them."""

    label: str
    proba: float
    max_events: int
    classes: tuple[str, ...]
    probas: tuple[float, ...]


def read_cooccurrences(path: str | Path) -> tuple[Cooccurrence, ...]:
    """Read the co-occurrence file, in file order: `{label: {"proba", "co-occurences": {…}}}`.

    Raises ValueError naming the label whose suffix or numbers are impossible.
    """
    if not is_file(path):
        raise ValueError(f"{path}: no such file (roots.cooccurrences)")
    try:
        content = json.loads(read_bytes(str(path)).decode())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {error.lineno}: is not JSON ({error.msg})") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text ({error})") from error
    if not isinstance(content, dict) or not content:
        raise ValueError(f"{path}: expected {{label: {{'proba', 'co-occurences'}}}}")
    rows = tuple(_cooccurrence(path, label, entry) for label, entry in content.items())
    total = sum(row.proba for row in rows)
    if not math.isclose(total, 1.0, abs_tol=1e-3):
        raise ValueError(f"{path}: the labels' proba sum to {total:.4f}, expected 1")
    return rows


def substitute_missing(
    rows: tuple[Cooccurrence, ...], folders: set[str]
) -> tuple[tuple[Cooccurrence, ...], tuple[str, ...]]:
    """Replace labels without a folder by their plain class, with a warning for each.

    The published x-valid soundbank has no `Vacuum_cleaner_nOn`, but the co-occurrence file asks
    for it.
    """

    def plain(label: str) -> str:
        bare = split_label(label)[0]
        return bare if label not in folders and bare in folders else label

    replaced = tuple(
        replace(row, label=plain(row.label), classes=tuple(plain(name) for name in row.classes))
        for row in rows
    )
    names = sorted({name for row in rows for name in (row.label, *row.classes)})
    return replaced, tuple(
        f"no foregrounds of {name} in this split: {plain(name)} stands in"
        for name in names
        if plain(name) != name
    )


def check_labels(
    path: str | Path, rows: tuple[Cooccurrence, ...], folders: set[str], classes: set[str]
) -> None:
    """Raise ValueError unless every label has a foreground folder and its class is in the class
    list.
    """
    for row in rows:
        for name in (row.label, *row.classes):
            if name not in folders:
                raise ValueError(
                    f"{path}, label {row.label!r}: {name!r} has no foreground folder with audio; "
                    f"there are {', '.join(sorted(folders))}"
                )
            if split_label(name)[0] not in classes:
                raise ValueError(
                    f"{path}, label {row.label!r}: {name!r} is not of the "
                    f"classes {', '.join(sorted(classes))}"
                )


def _cooccurrence(path: str | Path, label: str, entry: dict) -> Cooccurrence:
    where = f"{path}, label {label!r}"
    try:
        others = entry["co-occurences"]
        row = Cooccurrence(
            label=label,
            proba=float(entry["proba"]),
            max_events=int(others["max_events"]),
            classes=tuple(others["classes"]),
            probas=tuple(float(proba) for proba in others["probas"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{where}: expected proba and co-occurences with max_events, classes, probas "
            f"({error!r})"
        ) from error
    if len(row.classes) != len(row.probas):
        raise ValueError(f"{where}: {len(row.classes)} classes but {len(row.probas)} probas")
    if any(not 0 <= proba <= 1 for proba in (row.proba, *row.probas)):
        raise ValueError(f"{where}: a probability is not in 0..1: {[row.proba, *row.probas]}")
    if not math.isclose(sum(row.probas), 1.0, abs_tol=1e-3):
        raise ValueError(f"{where}: the probas sum to {sum(row.probas):.4f}, expected 1")
    if row.max_events < 0:
        raise ValueError(f"{where}: max_events {row.max_events} is negative")
    for name in (label, *row.classes):
        split_label(name)
    return row
