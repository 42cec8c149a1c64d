"""Search for sources that stand in two splits: recordings by their YouTube id, soundbank files by the source
that they were cut from.

A model that was trained on its test data looks better than it is, and file names hide this: DESED's
evaluation set names its clips differently from the others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePath
from typing import Literal

from raysed.data.features.shards import sha256
from raysed.data.soundscapes.soundbank import is_only_numbered, source_id

# `Y<id>_<start>_<end>` in most of DESED, `<id>_<start>_<end>` in its evaluation set; an id has 11
# characters, which may be underscores.
_SECONDS = r"_(?P<start>\d+(?:\.\d+)?)_(?P<end>\d+(?:\.\d+)?)"
_EXCERPTS = [re.compile(f"Y?(?P<id>{form}){_SECONDS}") for form in (".{11}", ".+?")]
_SHOWN = 3


@dataclass(frozen=True)
class Leak:
    """One source that two splits share."""

    kind: Literal["recording", "excerpt", "cut", "copy"]
    """The kind of leak: clips of one recording, the same seconds of it, cuts of one soundbank source, or the
    same file twice."""
    splits: tuple[str, str]
    source: str
    files: tuple[str, str]
    """One file of each split."""


def excerpt_of(filename: str) -> tuple[str, float | None, float | None]:
    """Return the recording and the seconds that a clip's name tells, `Yabc_30.000_40.000.wav` → `("abc",
    30.0, 40.0)`.

    A name of another form is a recording of its own.
    """
    stem = PurePath(filename).stem
    for form in _EXCERPTS:
        if match := form.fullmatch(stem):
            return match["id"], float(match["start"]), float(match["end"])
    return stem, None, None


def shared_recordings(splits: Mapping[str, Iterable[str]]) -> list[Leak]:
    """Find recordings that have clips in two of the splits (name → file names), for each pair of splits.

    A clip of which the same seconds are in both is reported twice: as a recording and as an excerpt.
    """
    files: dict[str, dict[str, dict[str, str]]] = {}
    if len(splits) < 2:  # nothing to share, and of a million names not cheap
        return []
    for split, names in splits.items():
        files[split] = defaultdict(dict)
        for name in names:
            recording, start, end = excerpt_of(name)
            files[split][recording][f"{start}-{end}"] = name
    leaks = []
    for pair in combinations(splits, 2):
        first, second = (files[split] for split in pair)
        for source in sorted(first.keys() & second.keys()):
            one, other = first[source], second[source]
            same = sorted(one.keys() & other.keys())
            example = (min(one.values()), min(other.values()))
            leaks.append(Leak("recording", pair, source, example))
            leaks += [Leak("excerpt", pair, source, (one[at], other[at])) for at in same]
    return leaks


def shared_sources(splits: Mapping[str, Iterable[str]]) -> list[Leak]:
    """Find soundbank sources that were cut into files of two of the splits (name → paths).

    The names of files that are only numbered within their folder tell no source; `copied_files` covers those.
    """
    sources: dict[str, dict[str, str]] = {}
    for split, paths in splits.items():
        sources[split] = {}
        for path in paths:
            if not is_only_numbered(path):
                sources[split].setdefault(source_id(path), PurePath(path).name)
    return _shared("cut", sources)


def copied_files(splits: Mapping[str, Iterable[str]]) -> list[Leak]:
    """Find files of two splits with the same content; only files of equal size are read."""
    splits = {split: tuple(paths) for split, paths in splits.items()}
    sizes = {path: Path(path).stat().st_size for paths in splits.values() for path in paths}
    count = Counter(size for paths in splits.values() for size in {sizes[path] for path in paths})
    contents: dict[str, dict[str, str]] = {}
    for split, paths in splits.items():
        twins = [path for path in paths if sizes[path] and count[sizes[path]] > 1]
        contents[split] = {sha256(Path(path).read_bytes()): PurePath(path).name for path in twins}
    return _shared("copy", contents)


def _shared(kind: Literal["cut", "copy"], found: Mapping[str, Mapping[str, str]]) -> list[Leak]:
    """Find the keys that two splits have in common; `found` is split → key → a file's name."""
    return [
        Leak(kind, pair, key, (found[pair[0]][key], found[pair[1]][key]))
        for pair in combinations(found, 2)
        for key in sorted(found[pair[0]].keys() & found[pair[1]].keys())
    ]


def describe_leaks(leaks: Iterable[Leak]) -> list[str]:
    """Return one line for each kind of leak and pair of splits."""
    groups: dict[tuple[str, tuple[str, str]], list[Leak]] = defaultdict(list)
    for leak in leaks:
        groups[leak.kind, leak.splits].append(leak)
    words = {
        "recording": "clips of the same recording",
        "excerpt": "the same seconds of a recording",
        "cut": "cuts of the same soundbank source",
        "copy": "the same sound file",
    }
    lines = []
    for (kind, (first, second)), group in groups.items():
        shown = ", ".join(" = ".join(leak.files) for leak in group[:_SHOWN])
        more = f" … and {len(group) - _SHOWN} more" if len(group) > _SHOWN else ""
        lines.append(f"{first} and {second} hold {words[kind]}: {len(group)} ({shown}{more})")
    return lines
