"""`made_by.json`: the code and data that a run's trials were made with.

A resumed run must not mix two codes or two data. What decides is a hash of the code of every package
that trials import (config, data, model, evaluation, training; not the tables, the driver or the
commands; comments and docstrings left out), the versions of torch and numpy, and the hashes of the shards. The commit is for people: a
working tree has many states at one commit. More than one entry: the run was mixed on request.
"""

import ast
import hashlib
import importlib.metadata
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from raysed import __version__
from raysed.data.features.shards import Manifest, sha256
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json

MADE_BY = "made_by.json"
Data = dict[str, str | None]
"""`id` of a data set and the hash of its `content`."""
_PACKAGE = Path(__file__).parents[1]
_DECIDING = ("config", "data", "model", "evaluation", "training")


def source_hash() -> str:
    """Return 12 hex digits of a hash of the deciding source files: their names and their code."""
    digest = hashlib.sha256()
    for folder in _DECIDING:
        for path in sorted((_PACKAGE / folder).rglob("*.py")):
            content = _statements(path.read_bytes()).encode()
            digest.update(f"{path.relative_to(_PACKAGE).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:12]


def _statements(source: bytes) -> str:
    """Return the syntax tree without line numbers, comments and strings that stand alone (docstrings)."""
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


def code() -> dict[str, Any]:
    """Return the code and versions that this process would train with."""
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    return {"raysed": __version__, "source": source_hash(), "commit": commit(), **versions}


def content_of(manifest: Manifest | None) -> str | None:
    """Return one hash over the hashes of a data set's shards; None while it is not finished."""
    if manifest is None or not manifest.complete:
        return None
    return sha256("".join(shard.sha256 for shard in manifest.shards).encode())[:12]


def changes(run: Folder, data: dict[str, Data], *, code_counts: bool) -> list[str]:
    """Return what has changed since the run's last trials were started, one line each.

    `data` holds id and content of every data set; a content of None is not known yet. Code does not
    count where nothing is left to train.
    """
    entries = read_json(run, MADE_BY)
    if not entries:
        return []
    last, now = entries[-1], code()
    found = []
    if code_counts and _deciding(last["code"]) != _deciding(now):
        found.append(f"the code was {_show(last['code'])}, is {_show(now)}")
    for name, is_ in data.items():
        was = last["data"].get(name, is_)
        if was["id"] != is_["id"]:
            found.append(f"the data changed: {name} was {was['id']}, is {is_['id']}")
        elif is_["content"] is not None and was["content"] != is_["content"]:
            found.append(
                f"the data changed: the shards of {name}-{was['id']} had the hash {was['content']},"
                f" have {is_['content']}"
            )
    return found


def is_noted(run: Folder) -> bool:
    """Tell whether the run has noted the code and data that it was made by."""
    return run.read(MADE_BY) is not None


def note(run: Folder, data: dict[str, Data], *, mixed: bool) -> None:
    """Write down this code and these data: as the run's only ones, or after those before (`mixed`)."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    before = (read_json(run, MADE_BY) or []) if mixed else []
    write_json(run, MADE_BY, [*before, {"since": since, "code": code(), "data": data}])


def _deciding(code: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in code.items() if key != "commit"}


def _show(code: dict[str, Any]) -> str:
    return (
        f"raysed {code['raysed']} (commit {code['commit'] or 'unknown'}, source {code['source']}),"
        f" torch {code['torch']}, numpy {code['numpy']}"
    )
