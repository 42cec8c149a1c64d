"""Files as parts of a bounded size, to be carried one after the other, and put together and checked at the other end.

DIR/NAME.json          the parts and the files, with their sizes and SHA-256; written last, so that all is old or new
DIR/NAME-<n>-<k>.part  the bytes of all files one after the other, cut every so many bytes

A hollow file travels as its name and size alone, and holds zeros at the other end: planning reads no more of most recordings.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from raysed.storage.whole_file import whole_file

MIB = 2**20


def write_parts(
    index: Path,
    files: Mapping[str, Path | bytes],
    part_bytes: int,
    hollow: Mapping[str, int] | None = None,
) -> list[Path]:
    """Write files by their relative names as parts of at most so many bytes beside `index`; return the parts.

    What was written before under this index is whole until the new index stands.
    """
    index.parent.mkdir(parents=True, exist_ok=True)
    number = _read_index(index)["number"] + 1 if index.is_file() else 1
    listed: dict[str, dict[str, Any]] = {}
    parts: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=index.parent.parent, prefix=f".{index.stem}-") as scratch:
        for content in _cut(_contents(files, listed), part_bytes):
            name = f"{index.stem}-{number}-{len(parts):02}.part"
            (Path(scratch) / name).write_bytes(content)
            parts.append({"name": name} | _about(content))
        for part in parts:
            (Path(scratch) / part["name"]).rename(index.parent / part["name"])
    content = {"number": number, "parts": parts, "files": listed, "hollow": dict(hollow or {})}
    with whole_file(index) as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())
    kept = [index.parent / part["name"] for part in parts]
    for path in index.parent.glob(f"{index.stem}-*.part"):
        if path not in kept:
            path.unlink()
    return kept


def join_parts(index: Path, root: Path) -> int:
    """Put the files of `index` together below `root`, each whole and checked; return how many were not there.

    A file that is there in its size stays. ValueError names the parts that are missing or damaged.
    """
    content = _read_index(index)
    files, hollow = content["files"], content["hollow"]
    absent = [name for name, about in files.items() if not _has(root / name, about["bytes"])]
    zeros = [name for name, size in hollow.items() if not _has(root / name, size)]
    if faults := [f for part in content["parts"] if absent and (f := _fault(index.parent, part))]:
        raise ValueError(f"{index}: {'; '.join(faults)}: carry what is missing or damaged again")
    for name in zeros:
        with whole_file(_below(root, name)) as file:
            file.truncate(hollow[name])
    if absent:
        stream = _Joined([index.parent / part["name"] for part in content["parts"]])
        for name, about in files.items():
            found = stream.read(about["bytes"])
            if name in absent:
                if _about(found) != about:
                    raise ValueError(
                        f"{index}: {name} is not what was packed; make the parts again"
                    )
                with whole_file(_below(root, name)) as file:
                    file.write(found)
    return len(absent) + len(zeros)


def _contents(
    files: Mapping[str, Path | bytes], listed: dict[str, dict[str, Any]]
) -> Iterator[bytes]:
    """Yield the content of each file, and list its size and hash."""
    for name, given in sorted(files.items()):
        content = given if isinstance(given, bytes) else given.read_bytes()
        listed[name] = _about(content)
        yield content


def _cut(contents: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Yield the contents, one after the other, in pieces of so many bytes, the last one shorter."""
    held = b""
    for content in contents:
        held += content
        whole = len(held) // most * most
        yield from (held[start : start + most] for start in range(0, whole, most))
        held = held[whole:]
    if held:
        yield held


class _Joined:
    """The bytes of parts, one after the other."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._contents = (path.read_bytes() for path in paths)
        self._held, self._at = b"", 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer at the end."""
        while len(self._held) - self._at < size and (content := next(self._contents, None)):
            self._held, self._at = self._held[self._at :] + content, 0
        taken = self._held[self._at : self._at + size]
        self._at += size
        return taken


def _about(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _fault(folder: Path, part: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a part, None where it is as it was written."""
    path = folder / part["name"]
    if not path.is_file():
        return f"{part['name']} is not there"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return None if found == part["sha256"] else f"{part['name']} is damaged"


def _below(root: Path, name: str) -> Path:
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{name}: lies outside {root}")
    return path


def _has(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _read_index(index: Path) -> dict[str, Any]:
    try:
        return json.loads(index.read_text())
    except OSError as error:
        raise ValueError(f"{index}: no index of parts: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{index}: no index of parts ({error})") from error
