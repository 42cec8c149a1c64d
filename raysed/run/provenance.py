"""`made_by.json`: the code and data that a run's trials were made with.

A resumed run must not mix two codes or two data. Three things decide: a hash of the modules that a
training imports (comments and docstrings left out; see `imported_modules`), the versions of torch and
numpy, and the hashes of the shards. The commit is for people: a working tree has many states at one
commit. A run with more than one entry was mixed on request.
"""

import ast
import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from raysed import __version__
from raysed.data.features.shards import Manifest, sha256
from raysed.package_version import version_of
from raysed.run.folders import MADE_BY
from raysed.run.stored_file import Stored, parse_stored
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json

_PACKAGE = Path(__file__).parents[1]
_ROOT = "training/train.py"
"""The module that trains one trial."""


class Data(Stored):
    """The identity of a data set, and the hash of its shards."""

    id: str
    content: str | None = None
    """None while it is not finished."""


class Code(Stored):
    """The code and the numerical packages that a process trains with."""

    raysed: str
    source: str
    commit: str | None = None
    torch: str
    numpy: str

    def trains_as(self, other: "Code") -> bool:
        """Tell whether both train alike: everything but the commit is equal."""
        return self.model_copy(update={"commit": None}) == other.model_copy(update={"commit": None})

    def __str__(self) -> str:
        return (
            f"raysed {self.raysed} (commit {self.commit or 'unknown'}, source {self.source}),"
            f" torch {self.torch}, numpy {self.numpy}"
        )


class Made(Stored):
    """One entry of the file: code and data from some time on."""

    since: str
    code: Code
    data: dict[str, Data]


def imported_modules(package: Path = _PACKAGE) -> tuple[Path, ...]:
    """Return the files of the package that a training imports, directly or not, sorted by path."""
    found: set[Path] = set()
    left = [package / _ROOT]
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        left += _imports(path, package)
    return tuple(sorted(found))


def _imports(path: Path, package: Path) -> Iterator[Path]:
    """Yield the package's files that one file imports, at its top or in its functions, and not for its types alone."""
    for name in _imported_names(path.read_bytes()):
        yield from _files(name, package)


@cache  # the same file is asked for again whenever another has changed
def _imported_names(source: bytes) -> tuple[str, ...]:
    """Return the names of modules that a source imports, and of what may be modules."""
    names: list[str] = []
    for node in _run_parts(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported from a package may be one of its modules.
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _run_parts(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a tree as `ast.walk` does, but for what stands under `if TYPE_CHECKING`."""
    yield node
    for part in ast.iter_child_nodes(node):
        types_only = isinstance(part, ast.If) and ast.unparse(part.test).endswith("TYPE_CHECKING")
        for branch in part.orelse if types_only else [part]:
            yield from _run_parts(branch)


def _files(module: str, package: Path) -> Iterator[Path]:
    """Yield the file of a module of ours, and the `__init__.py` of every package that holds it."""
    first, *parts = module.split(".")
    if first != package.name:
        return
    places = [package.joinpath(*parts[:length]) for length in range(len(parts) + 1)]
    files = [place / "__init__.py" for place in places]
    files.append(places[-1].with_suffix(".py"))
    yield from (file for file in files if file.is_file())


def source_hash(package: Path = _PACKAGE) -> str:
    """Return 12 hex digits of the modules that a training imports: their names and what they do."""
    digest = hashlib.sha256()
    for path in imported_modules(package):
        content = _statements(path.read_bytes()).encode()
        digest.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


@cache
def _statements(source: bytes) -> str:
    """Return the syntax tree without places, comments and strings that stand alone (docstrings)."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name, block in ast.iter_fields(node):
            if isinstance(block, list):
                setattr(node, name, [each for each in block if not _is_text(each)])
    return ast.dump(tree)


def _is_text(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def commit() -> str | None:
    """Return the git commit of the code, or None outside a checkout."""
    command = ["git", "-C", str(_PACKAGE), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


@cache
def code() -> Code:
    """Return what this process would train with."""
    torch, numpy = (version_of(name) for name in ("torch", "numpy"))
    return Code(raysed=__version__, source=source_hash(), commit=commit(), torch=torch, numpy=numpy)


def shards_hash(manifest: Manifest | None) -> str | None:
    """Return one hash over the hashes of a data set's shards; None while it is not finished."""
    if manifest is None or not manifest.complete:
        return None
    return sha256("".join(shard.sha256 for shard in manifest.shards).encode())[:12]


def read_made_by(run: Folder) -> tuple[Made, ...]:
    """Read what the trials of a run were made with, the last entry last; empty where nothing is noted.

    Raises ValueError for a file that is there and does not say it, naming the key.
    """
    content = read_json(run, MADE_BY)
    if content is None:
        return ()
    path = f"{run.url}/{MADE_BY}"
    if not isinstance(content, list) or not content:
        raise ValueError(
            f"{path}: expected a list of what the trials were made with, given {content!r:.80};"
            " restore it, or start again with another --run"
        )
    return tuple(parse_stored(entry, f"{path}, entry {n}", Made) for n, entry in enumerate(content))


def changes(run: Folder, data: Mapping[str, Data], *, code_counts: bool) -> list[str]:
    """Return what is other than when the run's last trials were started, a line each.

    `data` holds every data set; a content of None is not known yet. Code does not count where nothing is
    left to train.
    """
    entries = read_made_by(run)
    if not entries:
        return []
    last, now = entries[-1], code()
    found = []
    if code_counts and not last.code.trains_as(now):
        found.append(f"the code was {last.code}, is {now}")
    for name, is_ in data.items():
        was = last.data.get(name, is_)
        if was.id != is_.id:
            found.append(f"the data changed: {name} was {was.id}, is {is_.id}")
        elif is_.content is not None and was.content != is_.content:
            found.append(
                f"the data changed: the shards of {name}-{was.id} had the hash {was.content},"
                f" have {is_.content}"
            )
    return found


def note(run: Folder, data: Mapping[str, Data], *, mixed: bool) -> None:
    """Write down this code and these data: as the run's only ones, or after those before (`mixed`)."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    before = read_made_by(run) if mixed else ()
    entries = [*before, Made(since=since, code=code(), data=dict(data))]
    write_json(run, MADE_BY, [entry.model_dump(mode="json") for entry in entries])
