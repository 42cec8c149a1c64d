"""The clips that labels mean by their names, where a name is not spelt like one.

The rules are those of `raysed.storage.clip_name.match_clips`, as joins of tables on disk: neither clips nor names need to fit
into memory.
"""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from raysed.storage.clip_name import clip_name, compared_name, name_tails
from raysed.storage.scratch_database import ScratchDatabase

_MILLISECONDS = 1000.0

CLIP = "CREATE TABLE clip (n INTEGER PRIMARY KEY, name TEXT, path TEXT, size INTEGER)"
"""The recordings in their order, which is that of their names. A path is null where it is the name."""
LABEL = "CREATE TABLE label (name TEXT, event TEXT)"
"""The labels in the order of their rows: the name of a clip, and what clip_labels.py makes of the others."""
MEANT = "CREATE TABLE meant (name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID"
"""The clip, by its number in CLIP, that a name which is not spelt like one means."""

_OTHERS = """INSERT INTO other (name) SELECT name FROM label WHERE name IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM clip WHERE clip.name = label.name) GROUP BY name"""
_OPEN = "SELECT id, name FROM other WHERE name NOT IN (SELECT name FROM meant)"

# A name means the clips of its compared name (0), else those that end in it (1), else those that it ends in (2).
_CANDIDATES = """INSERT INTO candidate
    SELECT id, CASE WHEN name_part.whole AND clip_part.whole THEN 0 WHEN name_part.whole THEN 1 ELSE 2 END, n
    FROM name_part JOIN clip_part USING (key) WHERE name_part.whole OR clip_part.whole"""
# Of what is nearest there is one clip.
_SETTLED = """SELECT id, n, level FROM (
        SELECT id, n, many, min(level) AS level FROM (
            SELECT id, level, min(n) AS n, count(*) AS many FROM candidate GROUP BY id, level
        ) GROUP BY id
    ) WHERE many = 1"""
_BY_PARTS = f"""INSERT INTO meant
    SELECT name, n FROM ({_SETTLED}) JOIN other USING (id) GROUP BY n HAVING count(*) = 1"""

_LAST_PARTS = f"SELECT DISTINCT key FROM ({_OPEN}) JOIN name_part USING (id) WHERE is_last"
# The last part of a name alone may also be spelt like a clip (-1).
_CANDIDATES_OF_LAST = """INSERT INTO candidate
    SELECT last.id, -1, n FROM last JOIN clip ON clip.name = last.key
    UNION ALL SELECT last.id, NOT whole, n FROM last JOIN clip_part ON clip_part.key = last.clip_name"""
_BY_LAST = f"""INSERT INTO meant
    SELECT name, n FROM ({_OPEN}) JOIN name_part USING (id) JOIN last USING (key) JOIN settled ON settled.id = last.id
    WHERE name_part.is_last GROUP BY n HAVING count(*) = 1"""


def find_meant(found: ScratchDatabase) -> Iterator[str]:
    """Fill MEANT for the names of `label` that are not spelt like a clip of CLIP; yield the sorted names that mean none, or
    several.
    """
    for table in (
        MEANT,
        "CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE INDEX clip_name ON clip (name)",
        _OTHERS,
    ):
        found.run(table)
    if found.value("SELECT EXISTS (SELECT 1 FROM other)"):
        _match_parts(found)
    if found.value(f"SELECT EXISTS ({_OPEN} AND instr(name, '/'))"):
        _match_last_parts(found)
    if found.value(f"SELECT EXISTS ({_OPEN})"):
        _match_segments(found)
    return (name for _, name in found.rows(f"{_OPEN} ORDER BY name"))


def clips_named(names: Iterable[str], clips: Iterable[str]) -> set[str]:
    """Return the clips that some names mean."""
    found = ScratchDatabase(CLIP, LABEL)
    found.add("clip", ((None, clip, None, None) for clip in clips))
    found.add("label", ((name, None) for name in names))
    find_meant(found)
    query = "SELECT clip.name FROM clip WHERE name IN (SELECT name FROM label) OR n IN (SELECT n FROM meant)"
    return {name for (name,) in found.rows(query)}


def _match_parts(found: ScratchDatabase) -> None:
    """Match names by another suffix, none, or a folder that one of the two leaves out."""
    found.run("CREATE TABLE clip_part (n INTEGER, key TEXT, whole INTEGER, is_last INTEGER)")
    found.run("CREATE TABLE name_part (id INTEGER, key TEXT, whole INTEGER, is_last INTEGER)")
    found.add("clip_part", _parts(found.rows("SELECT n, name FROM clip")))
    found.add("name_part", _parts(found.rows("SELECT id, name FROM other")))
    found.run("CREATE INDEX clip_part_key ON clip_part (key)")
    found.run("CREATE TABLE candidate (id INTEGER, level INTEGER, n INTEGER)")
    found.run(_CANDIDATES)
    found.run(_BY_PARTS)


def _parts(names: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, bool, bool]]:
    for number, name in names:
        keys = name_tails(compared_name(name))
        for n, key in enumerate(keys):
            yield number, key, n == 0, n == len(keys) - 1


def _match_last_parts(found: ScratchDatabase) -> None:
    """Match names by their last part, where one recording has it and one name that is left."""
    found.run("CREATE TABLE last (id INTEGER PRIMARY KEY, key TEXT UNIQUE, clip_name TEXT)")
    found.add("last", ((None, key, compared_name(key)) for (key,) in found.rows(_LAST_PARTS)))
    for statement in (
        "DELETE FROM candidate",
        _CANDIDATES_OF_LAST,
        f"CREATE TABLE settled AS {_SETTLED}",
        "DELETE FROM settled WHERE level >= 0 AND n IN (SELECT n FROM settled GROUP BY n HAVING count(*) > 1)",
        "CREATE INDEX settled_id ON settled (id)",
        _BY_LAST,
    ):
        found.run(statement)


def _match_segments(found: ScratchDatabase) -> None:
    """Match AudioSet's segment ids (`b0RFKhbpFJA_30000` is `Yb0RFKhbpFJA_30.000_40.000.wav`)."""
    found.run("CREATE TABLE segment (key TEXT, n INTEGER)")
    found.add("segment", _segments(found.rows("SELECT n, name FROM clip")))
    found.run("CREATE INDEX segment_key ON segment (key)")
    found.run(
        f"INSERT INTO meant SELECT name, max(n) FROM ({_OPEN}) JOIN segment ON key = name GROUP BY name"
    )


def _segments(clips: Iterable[tuple[int, str]]) -> Iterator[tuple[str, int]]:
    """Yield `<YouTube id>_<start in ms>` of clips called `[Y]<id>_<start s>_<stop s>`."""
    for number, name in clips:
        parts = clip_name(PurePosixPath(name).name).rsplit("_", 2)
        try:
            start = round(float(parts[-2]) * _MILLISECONDS)
        except (ValueError, IndexError, OverflowError):
            continue
        video = parts[0].removeprefix("Y") if len(parts[0]) == 12 else parts[0]
        yield f"{video}_{start}", number
