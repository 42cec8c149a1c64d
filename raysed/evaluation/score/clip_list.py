"""Lists of clips: which ones are there, and which source each comes from."""

from pathlib import Path

import numpy as np

from raysed.evaluation.score.remarks import other_spelling
from raysed.storage.clip_name import AUDIO_SUFFIXES, match_clips
from raysed.storage.tab_separated import Table, read_table

_SCORES = ".tsv"


def read_clip_list(path: Path, filenames: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which clips of the set (N,) a list names, and remarks: a TSV with a column filename, or a folder of
    recordings or score files, whose names count.

    Raises ValueError, naming file and line, for a clip that is not of the set, and where no clip of the set is named.
    A folder may hold other files.
    """
    if path.is_dir():
        names = _names_of_files(path)
        clip_of = match_clips(names, filenames)
        others = len(names) - len(clip_of)
        remarks = (f"{path}: {others} files are of no clip of the set",) if others else ()
    else:
        table = _table(path, ("filename",))
        names = _column(table, "filename")
        clip_of = match_clips(names, filenames)
        _refuse_unknown(table, names, clip_of, filenames)
        remarks = other_spelling(path, clip_of)
    kept_N = np.isin(np.array(filenames, dtype=object), list(clip_of.values()))
    if not kept_N.any():
        raise ValueError(
            f"{path}: names no clip of the set, such as {filenames[0]}; expected a TSV with a column filename, or a"
            " folder of recordings or score files that are called like the clips"
        )
    return kept_N, remarks


def read_groups(path: str | Path, filenames: tuple[str, ...]) -> np.ndarray:
    """Return the number of the source of each clip (N,), from a TSV with the columns filename and group, by path or
    URL; it may hold other clips.

    Raises ValueError, naming file and line, for a clip of the set without a group or with two.
    """
    table = _table(path, ("filename", "group"))
    names, groups = _column(table, "filename"), _column(table, "group")
    clip_of = match_clips(names, filenames)
    group_of: dict[str, str] = {}
    for line, name, group in zip(table.lines, names, groups, strict=True):
        clip = clip_of.get(name)
        if not group:
            raise ValueError(f"{path}, line {line}: clip {name} has no group")
        if clip is None:
            continue
        if group_of.setdefault(clip, group) != group:
            raise ValueError(
                f"{path}, line {line}: clip {name} is of group {group}, and of {group_of[clip]} before"
            )
    missing = [name for name in filenames if name not in group_of]
    if missing:
        raise ValueError(
            f"{path}: no group for clip {missing[0]} ({len(missing)} such clips of {len(filenames)}); give each"
            " clip a row, its own name as the group where it shares its source with none"
        )
    return np.unique([group_of[name] for name in filenames], return_inverse=True)[1]


def groups_to_draw(path: str | Path, filenames: tuple[str, ...]) -> np.ndarray | None:
    """Return `read_groups`, None where every clip is a group of its own: clips are drawn as without groups."""
    groups_N = read_groups(path, filenames)
    return None if len(np.unique(groups_N)) == len(filenames) else groups_N


def _names_of_files(folder: Path) -> list[str]:
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    shown = [path for path in paths if not f"/{path}".count("/.")]
    recordings = [path.as_posix() for path in shown if path.suffix.lower() in AUDIO_SUFFIXES]
    return recordings + [
        path.with_suffix("").as_posix() for path in shown if path.suffix == _SCORES
    ]


def _table(path: str | Path, columns: tuple[str, ...]) -> Table:
    table = read_table(path, columns)
    table.refuse_faults()
    return table


def _column(table: Table, name: str) -> list[str]:
    place = table.columns.index(name)
    return [row[place] for row in table.rows]


def _refuse_unknown(
    table: Table, names: list[str], clip_of: dict[str, str], filenames: tuple[str, ...]
) -> None:
    unknown = [n for n, name in enumerate(names) if name not in clip_of]
    if unknown:
        raise ValueError(
            f"{table.path}, line {table.lines[unknown[0]]}: clip {names[unknown[0]]} is not one of the"
            f" {len(filenames)} clips of the set, such as {filenames[0]} ({len(unknown)} such rows)"
        )
