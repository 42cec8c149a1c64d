"""The schemas and the reference that are made from the models: current, and true of the shipped files."""

import copy
import json

import jsonschema
import pytest
import yaml

from raysed.config.data_job import DataJob
from raysed.config.fault import ConfigError
from raysed.config.reader import read_yaml, validate
from raysed.config.reference import reference
from raysed.config.schema import KINDS, json_schema, trial_keys
from raysed.config.space import Space, read_space
from raysed.config.trial import Trial
from tests.paths import ROOT

FOLDERS = {"space": ROOT / "tune_spaces", "job": ROOT / "data_jobs"}
FILES = [(kind, path) for kind in KINDS for path in sorted(FOLDERS[kind].glob("*.yaml"))]
IDS = [f"{path.parent.name}/{path.name}" for _, path in FILES]
MODELINE = "# yaml-language-server: $schema=schema.json\n"


VALIDATORS = {kind: jsonschema.Draft7Validator(json_schema(kind)) for kind in KINDS}


def faults(kind, content):
    return [error.message for error in VALIDATORS[kind].iter_errors(content)]


def content_of(path):
    return read_yaml(path, unset=[])[0]


def shipped(name):
    return content_of(ROOT / name)


def changed(content, key, value):
    """A copy with one dotted key set (`cells.0.set`; a slash stands for a dot of the key itself)."""
    content = copy.deepcopy(content)
    *above, last = [int(step) if step.isdigit() else step for step in key.split(".")]
    inner = content
    for step in above:
        inner = inner[step]
    inner[last.replace("/", ".") if isinstance(last, str) else last] = value
    return content


@pytest.mark.parametrize("kind", KINDS)
def test_stored_schemas_are_current(kind):
    made = json_schema(kind)
    jsonschema.Draft7Validator.check_schema(made)
    stored = (FOLDERS[kind] / "schema.json").read_text()
    assert stored == json.dumps(made, indent=2) + "\n", "run `make docs`"


@pytest.mark.parametrize(("kind", "path"), FILES, ids=IDS)
def test_shipped_files_are_valid_and_name_their_schema(kind, path):
    assert path.read_text().startswith(MODELINE)
    assert faults(kind, content_of(path)) == []


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("demo", "seedz", [0]),
        ("demo", "base.teacher.snr", 30.0),
        ("demo", "base.teachers", {}),
        ("demo", "cells.0.set.share", {}),
        ("demo", "cells.0.colum", "x"),
        ("demo", "resources.worker", 1),
        ("ablation", "claims.0.comparisons.0.expects", "higher"),
        ("ablation", "cells.0.published.val.f1", 0.3),
        ("mini_desed_ablation", "change.T1-S.shares.synth", 12),
        ("mini_desed_ablation", "base.schedule.epoch", 12),
        ("search", "search.parameters.optimiser/learning_rat", {"uniform": [0.1, 0.2]}),
        ("search", "search.parameters.shares.choise", []),
        ("search", "search.grace", 2),
    ],
)
def test_misspelt_keys_of_spaces_are_faults(name, key, value):
    wrong = changed(shipped(f"tune_spaces/{name}.yaml"), key, value)
    last = key.rsplit(".", 1)[-1].replace("/", ".")
    assert any(last in fault for fault in faults("space", wrong))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shard_clip", 3),
        ("features", {"n_mel": 32}),
        ("roots.record", "x"),
        ("sets.val.limits", 3),
        ("sets.xvalid_pitch_dry.pitch_shift", 0.0),
        ("cluster", {"gpus": 1}),
    ],
)
def test_misspelt_keys_of_jobs_are_faults(key, value):
    assert faults("job", changed(shipped("data_jobs/desed.yaml"), key, value))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("base.teacher.ema_decay", 1.0),
        ("base.model.pool", "mean"),
        ("base.model.pooling", [[2, 2, 2]]),
        ("cells.0.id", "a/b"),
        ("cells.0.published", {"a b": {}}),
        ("change", {"a b": {}}),
        ("cells", [{"id": "a"}]),
        ("seeds", []),
    ],
)
def test_wrong_values_are_faults(key, value):
    content = changed(shipped("tune_spaces/demo.yaml"), key, value)
    assert faults("space", content)


def test_what_must_be_there_may_be_in_the_file_below():
    content = {"base": {"schedule": {"epochs": 3}}, "search": {"samples": 3}}
    assert faults("space", {"extends": "tune_spaces/search.yaml", **content}) == []
    missing = " ".join(faults("space", content))
    for key in ("name", "data_job", "run", "seeds", "parameters"):
        assert f"'{key}' is a required property" in missing
    # Lists replace what is below, so their items are whole in every file.
    assert faults("space", {"extends": "tune_spaces/demo.yaml", "cells": [{"id": "a"}]})


@pytest.mark.parametrize(
    ("kind", "name"), [("space", "tune_spaces/demo.yaml"), ("job", "data_jobs/desed.yaml")]
)
def test_schema_and_reader_refuse_the_same(kind, name):
    """Each scalar of a shipped file, replaced by a mapping."""
    content = shipped(name)
    for key in leaves(content):
        if key.startswith("base.") or ".set." in key:
            continue  # refused when cells are resolved to trials
        wrong = changed(content, key, {"no": "such"})
        with pytest.raises(ConfigError):
            validate(wrong, {"space": Space, "job": DataJob}[kind], source="here")
        assert faults(kind, wrong), key


def leaves(content, above=""):
    """The dotted keys of all scalars."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from leaves(value, f"{above}{key}.")
        elif "." not in str(key):
            yield f"{above}{key}"


def test_every_key_of_a_trial_can_be_searched_and_is_in_the_reference():
    keys = list(trial_keys())
    assert {"data", "shares.weak", "teacher.snr_db", "postprocessing.median_window"} <= set(keys)
    assert len(keys) == len(set(keys))
    searched = json_schema("space")["definitions"]["Search"]["properties"]["parameters"]
    assert list(searched["properties"]) == keys
    page = reference("space")
    for key in keys:
        assert f"| `{key.rsplit('.', 1)[-1]}` |" in page


@pytest.mark.parametrize("model", [Space, DataJob, Trial])
def test_every_key_says_what_it_means(model):
    made = model.model_json_schema()
    parts = {model.__name__: made, **made.get("$defs", {})}
    silent = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, value in part["properties"].items()
        if "description" not in value and "$ref" not in value
    ]
    assert silent == []
    assert all(part.get("description") for part in parts.values())


def test_comments_change_no_id(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for name in ("demo", "mini_desed"):
        path = ROOT / f"tune_spaces/{name}.yaml"
        bare = tmp_path / path.name
        bare.write_text(yaml.safe_dump(content_of(path), sort_keys=False))
        assert read_space(bare) == read_space(path)
