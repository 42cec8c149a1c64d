"""The recordings of an annotated set, before its labels: those below a folder or glob, or of a manifest.

Of a Parquet file that holds the audio itself, as Hugging Face's `datasets` writes it, a recording's path is
`<file>#<row>`; its name is the file's and the row's number, so that the order of names is that of the rows.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice, repeat
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute
from pyarrow import fs as pafs

from raysed.config.annotated_set import is_manifest
from raysed.data.containers.ffmpeg import readable_suffixes
from raysed.data.recorded.label_table import ROWS_AT_ONCE, role_columns, row_batches
from raysed.data.recorded.meant_clips import CLIP
from raysed.storage.files import again, list_files, open_random, split_glob
from raysed.storage.safe_name import leaves_folder, utf8_name
from raysed.storage.scratch_database import ScratchDatabase
from raysed.storage.url import masked

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

ROW_MARK = ".parquet#"

Told = Callable[[], Iterator[pa.Table]]
"""The rows of a manifest, in parts, read again at each call."""


def audio_rows(audio: str, found: ScratchDatabase) -> tuple[str, Told | None]:
    """Put the recordings into a database as CLIP; return their root, and what gives the manifest's own rows, or None.

    Raises ValueError where there are none, and for names that leave the root.
    """
    found.run(CLIP)
    if is_manifest(audio):
        return _manifest(audio, found)
    root, _ = split_glob(audio)
    if Path(root).is_file() and "://" not in root:
        root = str(Path(root).parent)
    suffixes = readable_suffixes()
    found.run("CREATE TABLE listed (name TEXT, size INTEGER)")
    files = ((name, size) for name, size in list_files(audio) if name.lower().endswith(suffixes))
    found.add("listed", ((utf8_name(name, masked(audio)), size) for name, size in files))
    # By bytes of UTF-8, which is the order of Python's texts.
    found.run("INSERT INTO clip (name, size) SELECT name, size FROM listed ORDER BY name")
    found.run("DROP TABLE listed")
    if not found.value("SELECT count(*) FROM clip"):
        raise ValueError(f"{masked(audio)}: holds no audio file that can be read")
    return root, None


def split_manifest(audio: str) -> tuple[str, list[str]]:
    """Return the folder of a manifest, or of a glob of manifests, and their names in order."""
    root, pattern = split_glob(audio)
    if pattern is None:
        root, _, name = audio.rpartition("/")
        return root or ".", [name]
    names = sorted(name for name, _ in list_files(audio))
    if not names:
        raise ValueError(f"{masked(audio)}: no such file")
    return root, names


def _manifest(audio: str, found: ScratchDatabase) -> tuple[str, Told]:
    root, names = split_manifest(audio)
    places = [f"{root}/{name}" for name in names]
    if audio.lower().endswith(".parquet") and (column := embedded_column(places[0])):
        found.add("clip", _embedded(root, names))
        return root, _rows_beside(root, names, column)

    def told() -> Iterator[pa.Table]:
        for place in places:
            yield from row_batches(place)

    found.run("CREATE TABLE named (name TEXT)")
    found.add("named", ((name,) for name in _named(told(), audio)))
    found.run("CREATE TABLE file AS SELECT DISTINCT name FROM named ORDER BY name")
    found.run("DROP TABLE named")
    for (name,) in found.rows("SELECT name FROM file ORDER BY rowid"):
        if "://" not in name and leaves_folder(name) and not PurePosixPath(name).is_absolute():
            raise ValueError(
                f"{masked(audio)}: the file name {name!r} leaves the manifest's folder"
            )
    there = ((None, name, None, size) for name, size in _sizes(root, found) if size >= 0)
    found.add("clip", there)
    if not found.value("SELECT count(*) FROM clip"):
        count, first = next(found.rows("SELECT count(*), min(name) FROM file"))
        raise ValueError(
            f"{masked(audio)}: none of its {count} files is there, such as {[first] if count else []}"
        )
    found.run("DROP TABLE file")
    return root, told


def _named(batches: Iterable[pa.Table], audio: str) -> Iterator[str]:
    """Yield the files that a manifest names, in no order, those of a part of its rows once. Raises ValueError where it has no
    column of them.
    """
    for rows in batches:
        roles = role_columns(rows.column_names)
        if "filename" not in roles:
            raise ValueError(
                f"{masked(audio)}: has no column with file names, only {', '.join(rows.column_names)}"
            )
        names = _pc.unique(rows[roles["filename"]].cast(pa.string())).to_pylist()
        yield from filter(None, names)


def _sizes(root: str, found: ScratchDatabase) -> Iterator[tuple[str, int]]:
    """Yield each file by name and its bytes, -1 where it is not there; a name may be a URL or an absolute path of its own."""
    far, near = (
        found.value(f"SELECT EXISTS (SELECT 1 FROM file WHERE (instr(name, '://') > 0) = {is_far})")
        for is_far in (1, 0)
    )
    if "://" not in root and not far:
        for (name,) in found.rows("SELECT name FROM file ORDER BY rowid"):
            path = Path(root, name)
            yield name, path.stat().st_size if path.is_file() else -1
        return
    found.run("CREATE TABLE below (name TEXT PRIMARY KEY, size INTEGER) WITHOUT ROWID")
    found.add("below", list_files(root) if near else ())
    query = "SELECT name, below.size FROM file LEFT JOIN below USING (name) ORDER BY file.rowid"
    for name, size in found.rows(query):
        yield name, _size_of(name) if "://" in name else -1 if size is None else size
    found.run("DROP TABLE below")


def _size_of(url: str) -> int:
    file_system, path = open_random(url)
    (info,) = again(lambda: file_system.get_file_info([path]), url)
    return info.size if info.type == pafs.FileType.File else -1


def embedded_column(place: str) -> str | None:
    """Return the column of a Parquet file that holds audio as `{bytes, path}`, or None."""
    for field in _parquet(place).schema_arrow:
        if pa.types.is_struct(field.type) and {"bytes", "path"} <= {f.name for f in field.type}:
            return field.name
    return None


@lru_cache(maxsize=2)
def _parquet(place: str) -> pq.ParquetFile:
    file_system, path = open_random(place)
    return pq.ParquetFile(again(lambda: file_system.open_input_file(path), place))


def _embedded(root: str, names: list[str]) -> Iterator[tuple[None, str, str, int]]:
    """Yield the rows of Parquet files as CLIP."""
    for name in names:
        file = _parquet(f"{root}/{name}")
        for row, (clip, size) in enumerate(
            zip(_clips(name, file), _group_bytes(file), strict=True)
        ):
            yield None, clip, f"{name}#{row}", size


def _rows_beside(root: str, names: list[str], column: str) -> Told:
    """Return what gives the other columns than the audio's."""

    def told() -> Iterator[pa.Table]:
        for name in names:
            file = _parquet(f"{root}/{name}")
            clips = _clips(name, file)
            others = [c for c in file.schema_arrow.names if c != column]
            for some in file.iter_batches(ROWS_AT_ONCE, columns=others):
                rows = pa.Table.from_batches([some])
                yield _with_names(rows, list(islice(clips, len(rows))), file)

    return told


def _clips(name: str, file: pq.ParquetFile) -> Iterator[str]:
    """Yield the names of the clips of a Parquet file."""
    stem = str(PurePosixPath(name).with_suffix(""))
    return (f"{stem}/{row:08d}.wav" for row in range(file.metadata.num_rows))


def _group_bytes(file: pq.ParquetFile) -> Iterator[int]:
    """Yield for each row a share of its row group's bytes: what the audio weighs, without reading it."""
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        yield from repeat(group.total_byte_size // max(1, group.num_rows), group.num_rows)


def _with_names(rows: pa.Table, clips: list[str], file: pq.ParquetFile) -> pa.Table:
    """Return the other columns with the clips' names, and names for the numbers of `ClassLabel` columns."""
    table = pa.table({"filename": clips})
    meant = class_names(file.schema_arrow.metadata or {})
    for column in rows.column_names:
        if column == "filename":
            continue
        values = rows[column]
        if column in meant:
            try:
                values = pa.array([_called(v, meant[column]) for v in values.to_pylist()])
            except IndexError as error:
                count = len(meant[column])
                raise ValueError(
                    f"{clips[0].rpartition('/')[0]}.parquet: column {column} holds a number that none of its {count} classes"
                    f" has, 0 to {count - 1}"
                ) from error
        table = table.append_column(column, values)
    return table


def class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Return the names of the classes of each column, which `datasets` stores in the schema's metadata."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    found = {}
    for column, about in features.items():
        inner = about[0] if isinstance(about, list) and about else about
        inner = inner.get("feature", inner) if isinstance(inner, dict) else {}
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel":
            found[column] = inner["names"]
    return found


def _called(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [names[v] for v in value]
    return None if value is None or value < 0 else names[value]


def embedded_bytes(place: str) -> bytes:
    """Return the audio of one row, `<file>.parquet#<row>`. Raises ValueError where the row has none.

    The row group is kept, since the next recording is mostly the next row.
    """
    file, _, row = place.rpartition("#")
    group, first = _group_of(file, int(row))
    cell = _group(file, group)[int(row) - first].as_py()
    content = cell and cell["bytes"]
    if not content:
        raise ValueError(
            f"{masked(place)}: holds no bytes of audio, only the path {cell and cell['path']}"
        )
    return content


def _group_of(place: str, row: int) -> tuple[int, int]:
    first, metadata = 0, _parquet(place).metadata
    for number in range(metadata.num_row_groups):
        rows = metadata.row_group(number).num_rows
        if row < first + rows:
            return number, first
        first += rows
    raise ValueError(f"{masked(place)}: has no row {row}")


@lru_cache(maxsize=1)
def _group(place: str, number: int) -> pa.ChunkedArray:
    column = embedded_column(place)
    assert column is not None, "listed as such"
    return again(lambda: _parquet(place).read_row_group(number, columns=[column]), place)[column]
