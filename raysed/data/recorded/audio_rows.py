"""The recordings of an annotated set, before its labels: those below a folder or glob, or of a manifest.

Of a Parquet file that holds the audio itself, as Hugging Face's `datasets` writes it, a recording's path is
`<file>#<row>`; its name is the file's and the row's number, so that the order of names is that of the rows.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as pafs

from raysed.config.annotated_set import is_manifest
from raysed.data.recorded.label_table import read_rows, role_columns
from raysed.storage.clip_name import READABLE_SUFFIXES
from raysed.storage.files import again, list_files, open_random, split_glob
from raysed.storage.safe_name import leaves_folder
from raysed.storage.url import masked

AUDIO = pa.schema([("filename", pa.string()), ("path", pa.string()), ("size", pa.int64())])
ROW_MARK = ".parquet#"
_FILES_AT_ONCE = 20_000


def audio_rows(audio: str) -> tuple[str, pa.Table, pa.Table | None]:
    """Return the root, the recordings (AUDIO) by name, and the manifest's own rows or None.

    Raises ValueError where there are none, and for names that stand twice or leave the root.
    """
    if is_manifest(audio):
        return _manifest(audio)
    root, _ = split_glob(audio)
    if Path(root).is_file() and "://" not in root:
        root = str(Path(root).parent)
    rows = _by_name(
        (name, size) for name, size in list_files(audio) if name.lower().endswith(READABLE_SUFFIXES)
    )
    if not len(rows):
        raise ValueError(f"{masked(audio)}: holds no audio file that can be read")
    return root, rows, None


def _by_name(found: Iterable[tuple[str, int]]) -> pa.Table:
    """Return files as AUDIO in the order of their names; of a million, only a part at once is held as Python's objects."""
    parts = [AUDIO.empty_table().select(["filename", "size"])]
    listed = iter(found)
    while some := list(islice(listed, _FILES_AT_ONCE)):
        names, sizes = zip(*some, strict=True)
        parts.append(pa.table([pa.array(names), pa.array(sizes)], schema=parts[0].schema))
    # By bytes of UTF-8, which is the order of Python's texts.
    rows = pa.concat_tables(parts).sort_by("filename").combine_chunks()
    return pa.table([rows["filename"], rows["filename"], rows["size"]], schema=AUDIO)


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


def _manifest(audio: str) -> tuple[str, pa.Table, pa.Table]:
    root, names = split_manifest(audio)
    places = [f"{root}/{name}" for name in names]
    if audio.lower().endswith(".parquet") and (column := embedded_column(places[0])):
        return _embedded(root, names, column)
    rows = pa.concat_tables([read_rows(place) for place in places], promote_options="permissive")
    roles = role_columns(rows.column_names)
    if "filename" not in roles:
        raise ValueError(
            f"{masked(audio)}: has no column with file names, only {', '.join(rows.column_names)}"
        )
    files = sorted({name for name in rows[roles["filename"]].to_pylist() if name})
    for name in files:
        if "://" not in name and leaves_folder(name) and not PurePosixPath(name).is_absolute():
            raise ValueError(
                f"{masked(audio)}: the file name {name!r} leaves the manifest's folder"
            )
    sized = [
        (name, size)
        for name, size in zip(files, _sizes(root, files), strict=True)
        if size is not None
    ]
    if not sized:
        raise ValueError(
            f"{masked(audio)}: none of its {len(files)} files is there, such as {files[:1]}"
        )
    there, sizes = zip(*sized, strict=True)
    return root, pa.table([pa.array(there), pa.array(there), pa.array(sizes)], schema=AUDIO), rows


def _sizes(root: str, files: list[str]) -> Iterator[int | None]:
    """Yield the bytes of each file, None where it is not there; a name may be a URL or an absolute path of its own."""
    if "://" not in root and not any("://" in name for name in files):
        for name in files:
            path = Path(root, name)
            yield path.stat().st_size if path.is_file() else None
        return
    below = dict(list_files(root)) if any("://" not in name for name in files) else {}
    for name in files:
        yield below.get(name) if "://" not in name else _size_of(name)


def _size_of(url: str) -> int | None:
    file_system, path = open_random(url)
    (info,) = again(lambda: file_system.get_file_info([path]), url)
    return info.size if info.type == pafs.FileType.File else None


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


def _embedded(root: str, names: list[str], column: str) -> tuple[str, pa.Table, pa.Table]:
    audio: list[tuple[str, str, int]] = []
    told = []
    for name in names:
        file = _parquet(f"{root}/{name}")
        others = [c for c in file.schema_arrow.names if c != column]
        rows = file.read(columns=others) if others else None
        stem = str(PurePosixPath(name).with_suffix(""))
        clips = [f"{stem}/{row:08d}.wav" for row in range(file.metadata.num_rows)]
        sizes = _group_bytes(file)
        audio += [(clip, f"{name}#{row}", sizes[row]) for row, clip in enumerate(clips)]
        told.append(_with_names(rows, clips, file))
    table = pa.Table.from_arrays([pa.array(c) for c in zip(*audio, strict=True)], schema=AUDIO)
    return root, table, pa.concat_tables(told, promote_options="permissive")


def _group_bytes(file: pq.ParquetFile) -> list[int]:
    """Return for each row a share of its row group's bytes: what the audio weighs, without reading it."""
    sizes: list[int] = []
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        sizes += [group.total_byte_size // group.num_rows] * group.num_rows
    return sizes


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
