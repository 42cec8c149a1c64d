"""A look at a folder of one's own: which recordings it holds, which label files say what of them, how long they are.

Names, headers of tables and of a few hundred recordings are read; nothing is decoded. What is guessed is said in words.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.base import checked_line, twins
from raysed.data.containers.audio_file import audio_info
from raysed.data.containers.ffmpeg import readable_suffixes
from raysed.data.recorded.annotated import annotated_classes, list_annotated
from raysed.data.recorded.label_table import read_label_table, trimmed
from raysed.data.recorded.meant_clips import clips_named
from raysed.storage.clip_name import clip_name
from raysed.storage.files import list_files
from raysed.storage.safe_name import utf8_name

TABLE_SUFFIXES = (".tsv", ".csv", ".jsonl")
_LARGEST_TABLE = 500 * 2**20
_HEADERS = 300
_NAMES = 2_000
_SPLITS = (
    "train",
    "training",
    "dev",
    "development",
    "val",
    "valid",
    "validation",
    "test",
    "eval",
    "evaluation",
)


@dataclass(frozen=True)
class GuessedSet:
    """Recordings and what labels them."""

    name: str
    audio: str
    labels: str | None
    type: str
    clips: int
    about: str
    """A line that says what it was taken for, and why."""

    def as_set(self, **change: str) -> AnnotatedSet:
        """Return it as a data set of a job."""
        fields = {
            "kind": "annotated",
            "audio": self.audio,
            "labels": self.labels,
            "type": self.type,
        }
        return AnnotatedSet.model_validate(fields | change)


@dataclass
class Guess:
    """All that a folder seems to hold."""

    root: Path
    sets: list[GuessedSet] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    longest_s: dict[str, float] = field(default_factory=dict)
    """The longest recording looked at, of each set."""
    notes: list[str] = field(default_factory=list)

    def of_type(self, *types: str) -> list[GuessedSet]:
        """Return the sets of these types, the largest first."""
        return sorted((s for s in self.sets if s.type in types), key=lambda s: -s.clips)


def look_at(folder: str | Path) -> Guess:
    """Guess what a folder holds. Raises ValueError where it holds no audio."""
    root = Path(folder).expanduser().resolve()
    files = sorted(name for name, _ in list_files(str(root)))
    suffixes = readable_suffixes()
    audio = [utf8_name(name, str(root)) for name in files if name.lower().endswith(suffixes)]
    if not audio:
        raise ValueError(
            f"{folder}: holds no audio file that can be read ({', '.join(suffixes[:4])}, ...)"
        )
    found = Guess(root)
    tables = [_table(found, name, audio) for name in files if name.lower().endswith(TABLE_SUFFIXES)]
    claimed = _apart(found, [table for table in tables if table is not None])
    claimed |= _label_files(found, files, [name for name in audio if name not in claimed])
    _unclaimed(found, [name for name in audio if name not in claimed])
    for each in found.sets:
        found.longest_s[each.name] = _longest_s(each)
    classes: set[str] = set()
    for each in found.sets:
        classes |= annotated_classes(each.as_set())
    found.classes = [checked_line(label) for label in sorted(classes)]
    if same := twins(found.classes):
        found.notes.append(
            f"classes that differ in case only: {', '.join(same)}; `map` makes them one"
        )
    return found


@dataclass(frozen=True)
class _Table:
    """A table that names recordings which are there."""

    name: str
    kind: str
    there: set[str]
    is_manifest: bool
    """True where it names files as they lie beside it."""

    @property
    def rank(self) -> tuple[bool, bool, bool, int]:
        """Return what tells which of two tables of the same recordings counts: the least. Times say more than labels of
        clips, these more than none; then a split that someone made, then the larger one.
        """
        words = re.split("[^a-z]+", PurePosixPath(self.name).stem.lower())
        none, weak = self.kind == "none", self.kind == "weak"
        return none, weak, not set(words) & set(_SPLITS), -len(self.there)


def _apart(found: Guess, tables: list[_Table]) -> set[str]:
    """Take tables for sets, but no recording for two of them: it would be in training and in what judges it, too. Return
    the recordings of these sets.
    """
    claimed: dict[str, str] = {}
    for table in sorted(tables, key=lambda table: table.rank):
        if twice := sorted(table.there & claimed.keys()):
            found.notes.append(
                f"{table.name}: left out ({len(twice)} of its {len(table.there)} recordings are those of"
                f" {claimed[twice[0]]})"
            )
        elif table.kind == "none" and not table.is_manifest:
            found.notes.append(f"{table.name}: left out (its names are no files beside it)")
        else:
            claimed |= dict.fromkeys(table.there, table.name)
            found.sets.append(_set_of(found, table))
    found.sets.sort(key=lambda each: each.about)
    return set(claimed)


def _set_of(found: Guess, table: _Table) -> GuessedSet:
    path, kind, count = str(found.root / table.name), table.kind, len(table.there)
    below = _common_folder(table.there)
    where = "recordings" if below == "." else f"recordings of {below}/"
    if kind == "none":
        about = f"{table.name}: a list of {count} {where}"
        return GuessedSet(_free_name(found, table.name), path, None, kind, count, about)
    about = f"{table.name}: {count} {where} with {kind} labels"
    place = str(found.root / below)
    return GuessedSet(_free_name(found, table.name), place, path, kind, count, about)


def _table(found: Guess, name: str, audio: list[str]) -> _Table | None:
    """Take a table for labels, or for a list, if it names recordings that are there."""
    path = found.root / name
    if path.stat().st_size > _LARGEST_TABLE:
        return None
    try:
        rows = trimmed(read_label_table(str(path)))
    except (ValueError, OSError) as error:
        found.notes.append(f"{name}: not taken for labels ({str(error).replace(f'{path}', name)})")
        return None
    names = rows["filename"].drop_null().unique().to_pylist()
    there = clips_named(names[:_NAMES], audio)
    if not there:
        found.notes.append(
            f"{name}: not taken for labels (none of its {len(names)} names is a recording here)"
        )
        return None
    if len(names) > _NAMES:
        there = clips_named(names, audio)
    has = {c: rows[c].null_count < len(rows) for c in ("onset", "event_label", "confidence")}
    if not has["event_label"]:
        kind = "none"
    elif not has["onset"]:
        kind = "weak"
    else:
        kind = "soft" if has["confidence"] else "strong"
    beside = PurePosixPath(name).parent
    is_manifest = any(str(beside / each) in there for each in names)
    return _Table(name, kind, there, is_manifest)


def _label_files(found: Guess, files: list[str], audio: list[str]) -> set[str]:
    """Take .jams and .txt files for labels where they are called like recordings."""
    by_stem = {PurePosixPath(clip_name(name)).name: name for name in audio}
    for suffix in (".jams", ".txt"):
        named = [name for name in files if name.lower().endswith(suffix)]
        pairs = {
            name: by_stem[stem] for name in named if (stem := PurePosixPath(name).stem) in by_stem
        }
        if not pairs:
            continue
        folder, below = _common_folder(pairs), _common_folder(pairs.values())
        labels = f"{found.root / folder}/**/*{suffix}"
        try:
            kind = _kind_of_files(labels, str(found.root / below))
        except ValueError as error:
            found.notes.append(f"{folder}/*{suffix}: not taken for labels ({error})")
            continue
        about = f"{folder}/*{suffix}: {len(pairs)} recordings of {below}/ with {kind} labels, a file for each"
        found.sets.append(
            GuessedSet(
                _free_name(found, below), str(found.root / below), labels, kind, len(pairs), about
            )
        )
        return set(pairs.values())
    return set()


def _kind_of_files(labels: str, audio: str) -> str:
    try:
        list_annotated(AnnotatedSet(kind="annotated", audio=audio, labels=labels, type="soft"))
    except ValueError:
        list_annotated(AnnotatedSet(kind="annotated", audio=audio, labels=labels, type="strong"))
        return "strong"
    return "soft"


def _unclaimed(found: Guess, audio: list[str]) -> None:
    """Take recordings that nothing labels for class folders where there is no other label, else for unlabelled."""
    if not audio:
        return
    parents = Counter(PurePosixPath(name).parent.name for name in audio)
    no_split = not any(parent.lower() in _SPLITS or not parent for parent in parents)
    below = _common_folder(audio)
    if not found.sets and len(parents) > 1 and no_split:
        about = f"{len(parents)} folders, whose names are taken for classes: {', '.join(sorted(parents)[:8])}"
        found.sets.append(
            GuessedSet("clips", str(found.root / below), None, "weak", len(audio), about)
        )
        return
    groups: dict[str, list[str]] = {}
    for name in audio:
        groups.setdefault(PurePosixPath(name).parts[0] if "/" in name else ".", []).append(name)
    for names in groups.values():
        below = _common_folder(names)
        about = f"{below}/: {len(names)} recordings without labels"
        inside = any(s.audio == str(found.root / below) for s in found.sets)
        if inside or below == ".":
            found.notes.append(
                f"{about}: left out, as they lie among labelled ones; give them a folder of their own"
            )
            continue
        found.sets.append(
            GuessedSet(
                _free_name(found, below), str(found.root / below), None, "none", len(names), about
            )
        )


def _common_folder(names: object) -> str:
    folders = [str(PurePosixPath(name).parent) for name in names]  # type: ignore[union-attr]
    return os.path.commonpath(folders) if folders and "." not in folders else "."


def _free_name(found: Guess, path: str) -> str:
    """Return a name for a set after a file or folder, which no other has."""
    stem = (
        "".join(c if c.isascii() and c.isalnum() else "_" for c in PurePosixPath(path).stem).strip(
            "_"
        )
        or "recordings"
    )
    taken = {s.name for s in found.sets}
    return next(n for n in (stem, *(f"{stem}_{k}" for k in range(2, 1000))) if n not in taken)


def _longest_s(each: GuessedSet) -> float:
    """Return the longest recording of some, evenly spread; of weak ones of all up to 20,000."""
    paths = [recording.path for recording in list_annotated(each.as_set())]
    step = max(1, len(paths) // (20_000 if each.type == "weak" else _HEADERS))
    folder = (
        Path(each.audio).parent
        if each.type == "none" and Path(each.audio).is_file()
        else Path(each.audio)
    )
    longest = 0.0
    for path in paths[::step]:
        try:
            longest = max(longest, audio_info(str(folder / path)).duration)
        except ValueError:
            continue  # the doctor names what cannot be read
    return longest
