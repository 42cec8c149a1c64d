"""benchmarks/install.py: what it counts, and that the stored starts keep their limits."""

import json

import pytest

from benchmarks import install
from tests.paths import ROOT


def test_sizes_are_told_apart(tmp_path):
    site = tmp_path / "lib/python3.11/site-packages"
    for name, size in (("torch/a", 3), ("nvidia/x/b", 5), ("triton/c", 2), ("pandas/d", 4)):
        path = site / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(size * 1_000_000))
    assert install.sizes(tmp_path) == {"all_mb": 14, "torch_mb": 3, "cuda_mb": 7, "rest_mb": 4}


def test_a_start_is_measured_and_a_failing_one_refused():
    cpu_s, wall_s = install.start(("-c", "pass"))
    assert cpu_s > 0 and wall_s > 0
    with pytest.raises(RuntimeError, match="exit code 3"):
        install.start(("-c", "raise SystemExit(3)"))


def test_stored_starts_keep_their_limits():
    stored = json.loads((ROOT / "benchmarks/results/install.json").read_text())
    limited = {name: row for name, row in stored["starts"].items() if row["limit_s"]}
    assert {*limited} == {"import raysed", "raysed --help", "raysed score --help"}
    assert all(row["cpu_s"] < row["limit_s"] for row in limited.values())
