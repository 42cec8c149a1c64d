"""A run whose data sets, trials and tables all live in an object store."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from raysed.cli.entry import main
from raysed.demo.procedural import DemoSizes, demo_roots, write_demo_tree
from tests.object_store import SECRET, object_store
from tests.session_ray import joining

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SIZES = DemoSizes(foregrounds=(3, 2), weak=8, unlabelled=8, validation=6)


@pytest.fixture(scope="module")
def store():
    with object_store() as running:
        yield running


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    root = tmp_path_factory.mktemp("remote")
    write_demo_tree(root / "tree", sizes=SIZES)
    job = {
        "name": "tiny",
        "out": "s3://lab/data",
        "roots": demo_roots(root / "tree").model_dump(exclude_none=True),
        "features": {"duration_s": 5.0, "n_mels": 16, "hop": 510},
        "shard_clips": 6,
        "sets": {
            "synthetic": {"kind": "synthetic", "split": "train", "count": 12},
            "dry": {"kind": "synthetic", "split": "xvalid", "count": 8},
            "weak": {"kind": "recorded", "subset": "weak"},
            "validation": {"kind": "recorded", "subset": "validation"},
        },
    }
    content = {
        "name": "tiny",
        "data_job": str(root / "job.yaml"),
        "run": "s3://lab/run",
        "seeds": [0],
        "base": {
            "data": {"synthetic": "synthetic", "weak": "weak", "evaluation": ["validation"]},
            "shares": {"synthetic": 2, "unlabelled": 0, "weak": 2},
            "model": {"filters": [4, 4], "pooling": [[2, 4], [2, 4]], "gru_units": 4},
            "schedule": {"epochs": 2, "steps_per_epoch": 2, "ramp_epochs": 1},
        },
        "cells": [{"id": "all", "table": "1", "column": "both", "xvalid": "dry"}],
        "bootstrap_draws": 100,
    }
    (root / "job.yaml").write_text(yaml.safe_dump(job, sort_keys=False))
    (root / "space.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return root / "space.yaml"


def raysed(store, space, *command):
    own = store.environment | {"RAYSED_CACHE": str(space.parent / "cache")}
    # The Ray of the session has not these; its processes get them as those of a submitted job do.
    job = {"RAY_JOB_CONFIG_JSON_ENV_VAR": json.dumps({"runtime_env": {"env_vars": own}})}
    return subprocess.run(
        [sys.executable, "-m", "raysed.cli", *command],
        env=os.environ | own | joining() | job, cwd=space.parent, capture_output=True, text=True, timeout=900,
    )  # fmt: skip


@pytest.fixture
def told(store, space, monkeypatch, capsys):
    """`raysed` in this process, where nothing but itself is to start: exit code, output and messages."""
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAYSED_CACHE", str(space.parent / "cache"))
    monkeypatch.chdir(space.parent)

    def call(*command):
        monkeypatch.setattr(sys, "argv", ["raysed", *command])
        with pytest.raises(SystemExit) as ended:
            main()
        return SimpleNamespace(code=ended.value.code, **capsys.readouterr()._asdict())

    return call


def stored(store, prefix):
    return {path for method, path in store.requests if path.startswith(f"/lab/{prefix}")}


def test_a_store_that_refuses_writes_is_named_before_anything_starts(store, space, told):
    store.answer = lambda method, path: 403 if method in ("PUT", "POST") else None
    refused = told("tune", str(space))
    store.answer = lambda method, path: None
    assert refused.code == 2, refused.err
    assert "s3://lab/run" in refused.err and "cannot be written" in refused.err
    assert "ACCESS_DENIED" in refused.err
    assert not stored(store, "data/")


@pytest.mark.parametrize("command", ["tune", "data"])
def test_a_store_that_denies_reading_is_named_before_anything_starts(store, space, told, command):
    files = {"tune": "space.yaml", "data": "job.yaml"}
    read = ("GET", "HEAD")
    store.answer = lambda m, path: 403 if m in read and path.startswith("/lab/data") else None
    denied = told(command, str(space.parent / files[command]))
    store.answer = lambda method, path: None
    assert denied.code == 2, denied.err
    assert denied.err.startswith("error: ") and "s3://lab/data/" in denied.err
    assert "manifest.json: reading is denied" in denied.err
    assert "goes on" not in denied.err
    assert SECRET not in denied.out + denied.err
    written = [path for method, path in store.requests if method in ("PUT", "POST")]
    assert not [path for path in written if path.startswith("/lab/data")]


def test_data_sets_trials_and_tables_in_a_bucket(store, space, told, ray_session):
    first = raysed(store, space, "tune", str(space))
    assert first.returncode == 0, first.stderr
    assert "Table 1, validation" in first.stdout
    assert any(path.endswith("manifest.json") for path in stored(store, "data/"))
    assert any(path.endswith("/result.json") for path in stored(store, "run/trials/"))

    store.requests.clear()
    again = raysed(store, space, "tune", str(space))
    assert again.returncode == 0, again.stderr
    assert "1 finished" in again.stderr
    written = [p for m, p in store.requests if m in ("PUT", "POST")]
    assert not [p for p in written if "/trials/" in p or p.startswith("/lab/data")]

    report = told("report", "s3://lab/run")
    assert report.code == 0 and "Table 1, validation" in report.out
    for said in (first.stdout, first.stderr, again.stdout, again.stderr, report.out, report.err):
        assert SECRET not in said
