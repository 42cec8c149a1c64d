"""The recordings of an annotated set, before its labels: those below a folder or glob, or of a manifest.

Of a Parquet file that holds the audio itself, as Hugging Face's `datasets` writes it, a recording's path is
`<file>#<row>`; its name is the file's and the row's number, so that the order of names is that of the rows.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute
from pyarrow import fs as pafs

from raysed.config.annotated_set import is_manifest
from raysed.data.containers.ffmpeg import readable_suffixes
from raysed.data.recorded.growing import Numbers, Texts
from raysed.data.recorded.label_table import ROWS_AT_ONCE, role_columns, row_batches
from raysed.storage.files import again, list_files, open_random, split_glob
from raysed.storage.safe_name import leaves_folder
from raysed.storage.url import masked

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

AUDIO = pa.schema([("filename", pa.string()), ("size", pa.int64())])
EMBEDDED = pa.schema([("filename", pa.string()), ("path", pa.string()), ("size", pa.int64())])
ROW_MARK = ".parquet#"

Told = Callable[[], Iterator[pa.Table]]
"""The rows of a manifest, in parts, read again at each call."""


def audio_rows(audio: str) -> tuple[str, pa.Table, Told | None]:
    """Return the root, the recordings by name (AUDIO, or EMBEDDED where paths are no names), and what gives the manifest's
    own rows, or None.

    Raises ValueError where there are none, and for names that stand twice or leave the root.
    """
    if is_manifest(audio):
        return _manifest(audio)
    root, _ = split_glob(audio)
    if Path(root).is_file() and "://" not in root:
        root = str(Path(root).parent)
    suffixes = readable_suffixes()
    rows = _by_name(
        (name, size) for name, size in list_files(audio) if name.lower().endswith(suffixes)
    )
    if not len(rows):
        raise ValueError(f"{masked(audio)}: holds no audio file that can be read")
    return root, rows, None


def _by_name(found: Iterable[tuple[str, int]]) -> pa.Table:
    """Return files as AUDIO in the order of their names; of a million, only a part at once is held as Python's objects."""
    names, sizes, ordered, last = Texts(), Numbers(np.int64), True, ""
    listed = iter(found)
    while some := sorted(islice(listed, ROWS_AT_ONCE)):
        part, part_sizes = zip(*some, strict=True)
        ordered, last = ordered and last <= part[0], part[-1]
        names.extend(part)
        sizes.extend(np.array(part_sizes))
    rows = pa.table([names.finish(), pa.array(sizes.finish())], schema=AUDIO)
    # By bytes of UTF-8, which is the order of Python's texts.
    return rows if ordered else rows.sort_by("filename").combine_chunks()


def texts_of(column: pa.Array | pa.ChunkedArray) -> Iterator[str]:
    """Yield the texts of a column, of which only a part at once is held as Python's objects."""
    for start in range(0, len(column), ROWS_AT_ONCE):
        yield from column.slice(start, ROWS_AT_ONCE).to_pylist()


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


def _manifest(audio: str) -> tuple[str, pa.Table, Told]:
    root, names = split_manifest(audio)
    places = [f"{root}/{name}" for name in names]
    if audio.lower().endswith(".parquet") and (column := embedded_column(places[0])):
        return _embedded(root, names, column)

    def told() -> Iterator[pa.Table]:
        for place in places:
            yield from row_batches(place)

    files = _named(told(), audio)
    size_F = np.fromiter(_sizes(root, files), np.int64, len(files))
    if not (size_F >= 0).any():
        raise ValueError(
            f"{masked(audio)}: none of its {len(files)} files is there, such as {files[:1].to_pylist()}"
        )
    rows = pa.table([files, pa.array(size_F)], schema=AUDIO)
    return root, rows.filter(pa.array(size_F >= 0)), told


def _named(batches: Iterable[pa.Table], audio: str) -> pa.Array:
    """Return the files that a manifest names, by name. Raises ValueError for one that leaves the manifest's folder."""
    parts = []
    for rows in batches:
        roles = role_columns(rows.column_names)
        if "filename" not in roles:
            raise ValueError(
                f"{masked(audio)}: has no column with file names, only {', '.join(rows.column_names)}"
            )
        parts.append(_pc.unique(rows[roles["filename"]].cast(pa.string())))
    found = _pc.unique(pa.chunked_array(parts, pa.string()))
    found = found.filter(_pc.fill_null(_pc.not_equal(found, ""), False))
    files = found.take(_pc.array_sort_indices(found))
    for name in texts_of(files):
        if "://" not in name and leaves_folder(name) and not PurePosixPath(name).is_absolute():
            raise ValueError(
                f"{masked(audio)}: the file name {name!r} leaves the manifest's folder"
            )
    return files


def _sizes(root: str, files: pa.Array) -> Iterator[int]:
    """Yield the bytes of each file, -1 where it is not there; a name may be a URL or an absolute path of its own."""
    far = _pc.match_substring(files, "://")
    if "://" not in root and not _pc.any(far).as_py():
        for name in texts_of(files):
            path = Path(root, name)
            yield path.stat().st_size if path.is_file() else -1
        return
    below = {} if _pc.all(far).as_py() else dict(list_files(root))
    for name in texts_of(files):
        yield below.get(name, -1) if "://" not in name else _size_of(name)


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


def _embedded(root: str, names: list[str], column: str) -> tuple[str, pa.Table, Told]:
    audio = []
    for name in names:
        file = _parquet(f"{root}/{name}")
        rows = range(file.metadata.num_rows)
        audio.append(
            pa.table(
                [
                    pa.array(_clips(name, file), pa.string()),
                    pa.array((f"{name}#{row}" for row in rows), pa.string()),
                    pa.array(_group_bytes(file)),
                ],
                schema=EMBEDDED,
            )
        )

    def told() -> Iterator[pa.Table]:
        for name in names:
            file = _parquet(f"{root}/{name}")
            others = [c for c in file.schema_arrow.names if c != column]
            rows = file.read(columns=others) if others else None
            yield _with_names(rows, list(_clips(name, file)), file)

    return root, pa.concat_tables(audio).combine_chunks(), told


def _clips(name: str, file: pq.ParquetFile) -> Iterator[str]:
    """Yield the names of the clips of a Parquet file."""
    stem = str(PurePosixPath(name).with_suffix(""))
    return (f"{stem}/{row:08d}.wav" for row in range(file.metadata.num_rows))


def _group_bytes(file: pq.ParquetFile) -> np.ndarray:
    """Return for each row a share of its row group's bytes: what the audio weighs, without reading it."""
    groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
    counts = [group.num_rows for group in groups]
    shares = [group.total_byte_size // max(1, group.num_rows) for group in groups]
    return np.repeat(np.array(shares, np.int64), np.array(counts, np.int64))


def _with_names(rows: pa.Table | None, clips: list[str], file: pq.ParquetFile) -> pa.Table:
    """Return the other columns with the clips' names, and names for the numbers of `ClassLabel` columns."""
    table = pa.table({"filename": clips})
    meant = class_names(file.schema_arrow.metadata or {})
    if rows is None:
        return table
    for column in rows.column_names:
        if column == "filename":
            continue
        values = rows[column]
        if column in meant:
            values = pa.array([_called(v, meant[column]) for v in values.to_pylist()])
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
