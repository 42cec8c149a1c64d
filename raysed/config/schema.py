"""JSON Schema of the YAML files, for editors: completion, hover texts, and misspelt keys underlined.

It speaks of one file as it is written, before layers are merged: a space with `extends` may leave out
what the file below it has, and `base`, `set` and `change` hold parts of a Trial. Rules between keys are
the reader's alone (raysed.config.reader). Draft 07, the newest that common editors know whole.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from raysed.config.base import Config
from raysed.config.data_job import DataJob
from raysed.config.space import Space
from raysed.config.trial import Trial

FileKind = Literal["space", "job"]
KINDS: tuple[FileKind, ...] = ("space", "job")
Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_EXTENDS = {
    "type": "string",
    "description": "A space that this one is laid over, relative to the working directory: mappings merge,"
    " lists and scalars replace.",
}


def json_schema(kind: FileKind) -> Schema:
    """JSON Schema of a `tune_spaces/*.yaml` (space) or a `data_jobs/*.yaml` (job)."""
    content = _space() if kind == "space" else model_schema(DataJob)
    return {"$schema": _DRAFT, **content}


def model_schema(model: type[BaseModel]) -> Schema:
    """A model's schema in draft 07, its parts under `definitions`."""
    made = model.model_json_schema(
        ref_template="#/definitions/{model}", schema_generator=_WithoutTitles
    )
    made["definitions"] = made.pop("$defs", {})
    return _as_draft_07(made)


def trial_keys(model: type[Config] = Trial, above: str = "") -> Iterator[str]:
    """The dotted keys of a trial, of sections too: data, data.synthetic, ..."""
    for name, field in model.model_fields.items():
        yield above + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Config):
            yield from trial_keys(field.annotation, f"{above}{name}.")


def _space() -> Schema:
    made, trial = model_schema(Space), model_schema(Trial)
    parts = {**trial.pop("definitions"), "Trial": trial}
    for part in parts.values():
        part.pop("required", None)
    definitions = made["definitions"]
    assert not definitions.keys() & parts.keys()
    definitions |= parts
    change = made["properties"]["change"]["patternProperties"]
    change |= {key: {"$ref": "#/definitions/Trial"} for key in change}
    _put_trial(made["properties"], "base")
    _put_trial(definitions["Cell"]["properties"], "set")
    parameters = definitions["Search"]["properties"]["parameters"]
    one = parameters["additionalProperties"]
    parameters |= {"properties": dict.fromkeys(trial_keys(), one), "additionalProperties": False}
    # What a file of its own must have; the lists are replaced whole, so their items are always whole.
    whole = {
        "required": made.pop("required"),
        "properties": {"search": {"required": definitions["Search"].pop("required")}},
    }
    made["properties"] = {"extends": _EXTENDS, **made["properties"]}
    return {**made, "if": {"not": {"required": ["extends"]}}, "then": whole}


def _put_trial(properties: Schema, key: str) -> None:
    properties[key] = {
        "$ref": "#/definitions/Trial",
        "description": properties[key]["description"],
    }


def _as_draft_07(node: Any) -> Any:
    """The same in the older draft's words, closed where only names of one form are keys."""
    if isinstance(node, list):
        return [_as_draft_07(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _as_draft_07(value) for key, value in node.items() if key != "discriminator"}
    if "prefixItems" in made:
        made["items"] = made.pop("prefixItems")
    if "patternProperties" in made:
        made["additionalProperties"] = False
    if isinstance(made.get("description"), str):
        made["description"] = " ".join(made["description"].split())
    return made


class _WithoutTitles(GenerateJsonSchema):
    """Pydantic's schema without a title for every key, which repeats the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
