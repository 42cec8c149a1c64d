"""The reference of all keys as Markdown, read from the models: docs/configuration.md."""

import json
from collections.abc import Iterator
from typing import Any

from raysed.config.base import Config
from raysed.config.data_job import DataJob
from raysed.config.schema import FileKind, Schema, model_schema
from raysed.config.space import Space
from raysed.config.trial import Trial
from raysed.evaluation.metrics.own_metric import OWN_PATTERN

_INTRODUCTION = """# Configuration

Every key of the two kinds of YAML file: type, default, unit, range, meaning. This page is made from the models
(`make docs`); a test keeps it current.

* Unknown keys, keys given twice, wrong types and values are refused before anything starts, all at once, each with
  file, line, key and the nearest valid key. `1e-3` is a number. A whole number stands for a real one, not the reverse.
* `${VAR}` and `${VAR:-default}` in a text are environment variables. Paths are relative to the working directory.
* Only what differs from the defaults makes the id of a data set or a training: a default written out changes no id.
* A *name* becomes part of file names: letters, digits, `-` and `_`, beginning with a letter or a digit.
* Editors complete and check the keys: the files begin with `# yaml-language-server: $schema=schema.json`, the schema
  is what `raysed schema space` and `raysed schema job` print. Write that line into files of your own in these folders.
* Table numbers are those of Turpault & Serizel 2020, the paper; every default is the published system's, as its code runs.
  Where the paper's text reads otherwise, the meaning says so; `tune_spaces/variants.yaml` tries these readings.
"""

_JOB = """## Data jobs: `data_jobs/*.yaml`

What `raysed data` builds: named data sets with their sources and features. [More on data sets](data.md).
"""

_SPACE = """## Spaces: `tune_spaces/*.yaml`

What `raysed tune` runs: cells, each a training and the x-valid set that selects its epoch. `extends: PATH` lays
the file over another space: mappings merge, lists and scalars replace, so that it holds only what differs.
"""

_TRIAL = """## Trials: `base`, `cells[].set` and `change.<id>` of a space

A training. `base` holds what all cells share, `set` and `change` what differs; `search.parameters` names these keys
with dots (`optimiser.learning_rate`). What is required must be there once these are laid over each other.
[More on training](training.md).
"""

UNITS = {
    "_s": "s",
    "_hz": "Hz",
    "_db": "dB",
    "_semitones": "semitones",
    "_clips": "clips",
    "epochs": "epochs",
    "n_fft": "samples",
    "hop": "samples",
    "n_mels": "bands",
    "limit": "clips",
    "quarantine_limit": "fraction",
    "count": "soundscapes",
    "polyphony": "events",
    "tasks_in_flight": "tasks",
    "actors_per_node": "actors",
    "gpus_per_mel_actor": "GPUs",
    "gpus_per_worker": "GPUs",
    "cpus_per_worker": "CPUs",
    "workers": "ranks",
    "draws": "draws",
    "samples": "configurations",
    "event_f1": "fraction",
    "psds": "fraction",
    "synthetic": "clips",
    "unlabelled": "clips",
    "weak": "clips",
    "filters": "channels",
    "pooling": "frames, bands",
    "units": "units",
    "dropout": "fraction",
    "steps_per_epoch": "steps",
    "window": "output frames",
    "span": "samples",
    "centre": "samples",
    "fixed_length": "samples",
}
"""Units of numbers by the end of their key; the last that fits. Others are pure numbers."""

_TYPES = {
    "integer": "integer",
    "number": "number",
    "string": "text",
    "boolean": "`true`, `false`",
    "object": "mapping",
    "null": "`null`",
}
_HEADER = "| key | type | default | unit | range | meaning |\n|---|---|---|---|---|---|"


def reference(kind: FileKind | None = None) -> str:
    """The Markdown page, or its part on one kind of file."""
    job = _part(_JOB, DataJob)
    space = _part(_SPACE, Space) + _part(_TRIAL, Trial)
    parts = {"job": [job], "space": [space], None: [_INTRODUCTION, job, space]}[kind]
    return "\n".join(parts).rstrip() + "\n"


def _part(opening: str, model: type[Config]) -> str:
    schema = model_schema(model)
    sections = [opening]
    for path, section in _sections("", schema, schema["definitions"]):
        if path:
            sections.append(f"### `{path}`\n{section['description']}\n")
        sections.append(_table(section, schema["definitions"]) + "\n")
    return "\n".join(sections) + "\n"


def _sections(path: str, section: Schema, parts: Schema) -> Iterator[tuple[str, Schema]]:
    """Every mapping with keys of its own, by the path to it, as it stands in the file."""
    yield path, section
    for key, value in section["properties"].items():
        for step, inner in _inner(value, parts):
            yield from _sections(f"{path}.{key}{step}".lstrip("."), inner, parts)


def _inner(value: Schema, parts: Schema) -> Iterator[tuple[str, Schema]]:
    """The models inside a value, and the step to them: itself, an item, a named entry, one of a kind."""
    if "$ref" in value:
        yield "", parts[value["$ref"].rsplit("/", 1)[-1]]
    for branch in value.get("anyOf", []):
        yield from _inner(branch, parts)
    for branch in value.get("oneOf", []):
        for step, inner in _inner(branch, parts):
            kind = inner["properties"].get("kind")
            yield f" with kind: {kind['const']}" if kind else step, inner
    if isinstance(value.get("items"), dict):
        yield from (("[]" + step, inner) for step, inner in _inner(value["items"], parts))
    for entry in _entries(value):
        yield from ((".<name>" + step, inner) for step, inner in _inner(entry, parts))


def _entries(value: Schema) -> list[Schema]:
    """The forms of a mapping's values where its keys are the user's."""
    others = value.get("additionalProperties")
    return [
        *value.get("patternProperties", {}).values(),
        *([others] if isinstance(others, dict) else []),
    ]


def _table(section: Schema, parts: Schema) -> str:
    required = section.get("required", [])
    rows = [_HEADER]
    for key, value in section["properties"].items():
        default = "required" if key in required else _default(value)
        cells = (f"`{key}`", _type(value), default, _unit(key, value), _range(value))
        # A key that says no more than the part it holds has no description of its own.
        meaning = value.get("description") or parts[value["$ref"].rsplit("/", 1)[-1]]["description"]
        row = (*cells, meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(rows)


def _branches(value: Schema) -> list[Schema]:
    """Return the forms that a value may have."""
    return [*value.get("anyOf", []), *value.get("oneOf", [])]


def _default(value: Schema) -> str:
    default = value.get("default")
    if isinstance(default, dict) or "default" not in value:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _type(value: Schema) -> str:
    if "const" in value or "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    if branches := _branches(value):
        return ", ".join(map(_type, branches))
    if value.get("type") == "array":
        items = value["items"]
        if isinstance(items, list):
            return f"[{', '.join(map(_type, items))}]"
        return f"list of {_type(items)}" if items else "list"
    if "pattern" in value:
        return "`package.module:function`" if value["pattern"] == OWN_PATTERN else "name"
    return _TYPES[value.get("type", "object")]


def _unit(key: str, value: Schema) -> str:
    if not {"integer", "number"} & set(_leaf_types(value)):
        return ""
    fitting = [unit for end, unit in UNITS.items() if key.endswith(end)]
    return fitting[-1] if fitting else ""


def _leaf_types(value: Any) -> Iterator[str]:
    """The types of a value, of its branches and of its items."""
    branches = _branches(value)
    if value.get("type") == "array":
        branches += value["items"] if isinstance(value["items"], list) else [value["items"]]
    for branch in branches:
        yield from _leaf_types(branch)
    yield value.get("type", "")


def _range(value: Schema) -> str:
    """The bounds of a number, of the numbers in a list, or of a list's length."""
    signs = (
        ("minimum", "≥"),
        ("exclusiveMinimum", ">"),
        ("maximum", "≤"),
        ("exclusiveMaximum", "<"),
    )
    if "minItems" in value and isinstance(value["items"], dict):
        return "not empty"
    if value.get("minProperties"):
        return "not empty"
    items = value.get("items")
    inner = [*_branches(value), *(items if isinstance(items, list) else [])]
    bounds = [f"{sign} {value[key]:,}".removesuffix(".0") for key, sign in signs if key in value]
    return ", ".join(bounds) or next(filter(None, map(_range, inner)), "")
