"""Certificates of scores: what was scored, by what and how, so that anyone can compute it again and see what differs."""

import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from raysed import __version__
from raysed.evaluation.counts.statistics import PUBLISHED
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.metrics.registry import METRICS, sources_of
from raysed.evaluation.score.ground_truth import read_scored_set
from raysed.evaluation.score.ranking import score_systems
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from raysed.package_version import version_of
from raysed.storage.file_hashes import file_hashes
from raysed.storage.folder import write_atomically

KIND, FORMAT = "raysed score certificate", 1
FILES = (
    *("predictions", "systems", "versus", "reference", "ground_truth", "durations", "clips"),
    *("groups", "label_map"),
)
OPTIONS = (
    "classes",
    "overlaps",
    "threshold",
    "at_threshold",
    "draws",
    "seed",
    "metrics",
    "method",
    "engine",
)
_PACKAGES = ("numpy", "numba", "scipy", "pandas")
SAME = 1e-12
"""Values that are closer than this are the same."""


def found_by(request: ScoreRequest) -> dict[str, Any]:
    """Return what is found for a request, of one system or of many."""
    return score(request) if request.systems is None else score_systems(request)


def write_certificate(path: Path, request: ScoreRequest, found: dict[str, Any]) -> None:
    """Write a certificate of what was found, whole or not at all."""
    content = json.dumps(certificate_of(request, found), indent=1, ensure_ascii=False)
    write_atomically(path, content.encode() + b"\n")


def certificate_of(request: ScoreRequest, found: dict[str, Any]) -> dict[str, Any]:
    """Return the certificate as one JSON object."""
    reference = read_scored_set(request)[0].reference
    paths = {name: path for name in FILES if (path := getattr(request, name)) is not None}
    options = {name: getattr(request, name) for name in OPTIONS}
    return {
        "kind": KIND,
        "format": FORMAT,
        "versions": _versions(request.engine),
        "paths": {name: str(path) for name, path in paths.items()},
        "options": options | {"metrics": list(request.metrics), "classes": list(request.classes)},
        "files": {name: file_hashes(path) for name, path in paths.items()},
        "set": {
            "clips": len(reference.filenames),
            "ground_truth_sha256": reference.key,
            "clip_list_sha256": _sha256("\n".join(reference.filenames).encode()),
            "durations_sha256": _sha256(np.ascontiguousarray(reference.durations_s).tobytes()),
        },
        "definitions": {name: definition_of(name) for name in request.metrics},
        "found": {key: value for key, value in found.items() if key != "warnings"},
    }


def refuse_own_input(path: Path, request: ScoreRequest) -> None:
    """Raise ValueError where a certificate would be written over a file that is scored."""
    for name in FILES:
        given = getattr(request, name)
        if given is None:
            continue
        inside = path.suffix == ".tsv" and given.resolve() in path.resolve().parents
        if inside or path.resolve() == given.resolve():
            option = "map" if name == "label_map" else name.replace("_", "-")
            raise ValueError(
                f"--certificate {path}: would lie among what --{option} gives; name another file"
            )


def _versions(engine: str | None) -> dict[str, str]:
    """Return the versions of everything that decides a value."""
    packages = {name: version_of(name) for name in (*_PACKAGES, *([engine] if engine else []))}
    return {"raysed": __version__, "python": platform.python_version(), **packages}


def definition_of(metric: str) -> dict[str, Any]:
    """Return what a metric is: its function and every number in it."""
    named = METRICS[metric]
    found: dict[str, Any] = {
        "title": named.title,
        "function": named.by,
        "options": dict(named.options),
    }
    if own := sources_of([metric]):
        found["source"] = own[metric]
    if metric in DEFINITIONS:
        about = DEFINITIONS[metric]
        return found | asdict(about) | {"criteria": about.criteria._asdict()}
    counted = asdict(PUBLISHED)
    counted.pop("psds")
    counted.pop("threshold")  # that of the detections stands with the value
    return found | counted | {"intersection": PUBLISHED.intersection._asdict()}


def check_certificate(path: Path) -> dict[str, Any]:
    """Compute a certificate's values again, and return what differs: files, versions, the set and values.

    Paths are those of the certificate, relative to the working directory. Raises ValueError, naming file and key,
    for a file that is no certificate or is damaged, and for files that it names and that are not there.
    """
    stored = read_certificate(path)
    request = _request_of(path, stored)
    now = json.loads(json.dumps(certificate_of(request, found_by(request))))
    files = [
        {"file": f"{stored['paths'][role]} ({role})", "name": name, "what": what}
        for role in stored["paths"]
        for name, what in _changed(stored["files"].get(role, {}), now["files"][role])
    ]
    changed = [
        {"name": name, "then": then, "now": new}
        for key in ("versions", "set", "definitions")
        for name, then, new in differing(stored[key], now[key], key)
    ]
    values = [
        {"name": name, "then": then, "now": new}
        for name, then, new in differing(_values(stored["found"]), _values(now["found"]), "")
    ]
    is_version = [row["name"].startswith("versions.") for row in changed]
    return {
        "certificate": str(path),
        "files": files,
        "versions": [row for row, is_one in zip(changed, is_version, strict=True) if is_one],
        "definitions": [row for row, is_one in zip(changed, is_version, strict=True) if not is_one],
        "values": values,
        "same": not (files or values or not all(is_version)),
    }


def read_certificate(path: Path) -> dict[str, Any]:
    """Read a certificate. Raises ValueError for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON, so no certificate ({error})") from error
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise ValueError(f"{path}: no certificate of `raysed score --certificate`")
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: format {content.get('format')} is of another version of raysed, expected {FORMAT}"
        )
    for key in ("versions", "paths", "options", "files", "set", "definitions", "found"):
        if not isinstance(content.get(key), dict):
            raise ValueError(
                f"{path}: {key}: missing or no mapping; the file was edited or damaged"
            )
    return content


def _request_of(path: Path, stored: dict[str, Any]) -> ScoreRequest:
    for name, text in stored["paths"].items():
        if not isinstance(text, str):
            raise ValueError(f"{path}: paths.{name}: {text!r} is no path; the file was edited")
    paths = {name: Path(text) for name, text in stored["paths"].items()}
    for name, place in paths.items():
        if not place.exists():
            raise ValueError(
                f"{path}: paths.{name}: {place} is not there; put it there, call from the folder that it is relative"
                " to, or change the path in the certificate"
            )
    given: dict[str, Any] = {"predictions": None, **paths, **stored["options"]}
    for name in ("metrics", "classes"):
        if not isinstance(listed := given.get(name, []), list):
            raise ValueError(f"{path}: options.{name}: {listed!r} is no list; the file was edited")
        given[name] = tuple(listed)
    try:
        return ScoreRequest(**given)
    except TypeError as error:
        raise ValueError(f"{path}: paths and options: {error}; the file was edited") from error


def _values(found: dict[str, Any]) -> dict[str, Any]:
    """Return what was found without places and versions, which are compared as such."""
    kept = dict(found)
    if isinstance(systems := found.get("systems"), dict):
        kept["systems"] = {
            name: {key: value for key, value in about.items() if key != "path"}
            for name, about in systems.items()
        }
    if isinstance(engine := found.get("engine"), dict):
        kept["engine"] = {key: value for key, value in engine.items() if key != "version"}
    return kept


def _changed(then: dict[str, str], now: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the files that are gone, new or changed."""
    for name in sorted({**then, **now}):
        if name not in now:
            yield name, "gone"
        elif name not in then:
            yield name, "new"
        elif then[name] != now[name]:
            yield name, "changed"


def differing(then: Any, now: Any, name: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the leaves in which two JSON values differ, by their dotted names."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in {**then, **now}:
            yield from differing(then.get(key), now.get(key), f"{name}.{key}".lstrip("."))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for place, pair in enumerate(zip(then, now, strict=True)):
            yield from differing(*pair, f"{name}[{place}]")
    elif not _same(then, now):
        yield name, then, now


def _same(then: Any, now: Any) -> bool:
    if isinstance(then, float) and isinstance(now, float | int):
        return abs(then - now) <= SAME
    return then == now


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
