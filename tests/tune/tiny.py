"""A space small enough to train in seconds, from audio on."""

import os
from pathlib import Path

import yaml

from raysed.demo.procedural import DemoSizes, demo_roots, write_demo_tree

SIZES = DemoSizes(foregrounds=(3, 2), weak=8, unlabelled=8, validation=6)


def space_content(root, job_file):
    return {
        "name": "tiny",
        "data_job": str(job_file),
        "run": str(root / "run"),
        "seeds": [0, 1],
        "base": {
            "data": {
                "synthetic": "synthetic",
                "unlabelled": "unlabelled",
                "weak": "weak",
                "evaluation": ["validation"],
            },
            "shares": {"synthetic": 2, "unlabelled": 2, "weak": 2},
            "model": {"filters": [4, 4], "pooling": [[2, 4], [2, 4]], "gru_units": 4},
            "schedule": {"epochs": 2, "steps_per_epoch": 2, "ramp_epochs": 1},
        },
        "cells": [
            {"id": "all", "table": "1", "column": "all three", "xvalid": "dry",
             "published": {"validation": {"event_f1": 0.3414, "psds": 0.502}}},
            {"id": "rir", "table": "3", "column": "reverb in x-valid", "xvalid": "rir"},
            {"id": "weak", "table": "1", "column": "weak", "xvalid": "dry",
             "set": {"shares": {"synthetic": 0, "unlabelled": 0, "weak": 4}}},
        ],
        "contrasts": [{"cell": "weak", "against": "all"}],
        "bootstrap_draws": 200,
    }  # fmt: skip


def write_tiny_tree(root: Path) -> None:
    """ROOT/tree (sounds), job.yaml and space.yaml; the node cache goes to ROOT/cache."""
    os.environ["RAYSED_CACHE"] = str(root / "cache")
    write_demo_tree(root / "tree", sizes=SIZES)
    job = {
        "name": "tiny",
        "out": str(root / "data"),
        "roots": demo_roots(root / "tree").model_dump(exclude_none=True),
        "features": {"duration_s": 5.0, "n_mels": 16, "hop": 510},
        "shard_clips": 6,
        "sets": {
            "synthetic": {"kind": "synthetic", "split": "train", "count": 16},
            "dry": {"kind": "synthetic", "split": "xvalid", "count": 10},
            "rir": {"kind": "synthetic", "split": "xvalid", "count": 10, "reverb": "rir"},
            "weak": {"kind": "recorded", "subset": "weak"},
            "unlabelled": {"kind": "recorded", "subset": "unlabelled"},
            "validation": {"kind": "recorded", "subset": "validation"},
        },
    }
    (root / "job.yaml").write_text(yaml.safe_dump(job, sort_keys=False))
    content = space_content(root, root / "job.yaml")
    (root / "space.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def write_space(root: Path, name: str, **changes: object) -> Path:
    """ROOT/NAME.yaml: the tiny space with other values, its run in ROOT/NAME."""
    content = space_content(root, root / "job.yaml") | {"run": str(root / name)} | changes
    path = root / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path
