import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest

from raysed import package_version
from raysed.package_version import version_of
from tests.paths import ROOT


def test_metadata_go_first():
    assert version_of("numpy") == importlib.metadata.version("numpy")


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("numpy", np.__version__),
        ("torch", None),
        ("wave", "unknown"),
        ("no_such_package", "unknown"),
    ],
)
def test_without_metadata_the_module_is_asked(monkeypatch, package, version):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    expected = version or importlib.metadata.version(package)
    monkeypatch.setattr(package_version, "version", missing)
    assert version_of.__wrapped__(package) == expected


def test_every_version_is_asked_for_here():
    users = [
        path.name
        for path in (ROOT / "raysed").rglob("*.py")
        if "importlib.metadata" in path.read_text() and path.name != "package_version.py"
    ]
    assert users == []


def test_it_runs_from_a_source_tree_without_any_metadata(tmp_path):
    """What needs versions, in a process that finds no package's metadata."""
    code = (
        "import importlib.metadata as m\n"
        "def missing(name): raise m.PackageNotFoundError(name)\n"
        "m.version = m.distribution = missing\n"
        "from raysed.data.features.shards import versions\n"
        "from raysed.run.provenance import code\n"
        "print(versions()['numpy'], code().torch)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = [importlib.metadata.version(name) for name in ("numpy", "torch")]
    assert done.stdout.split()[-2:] == expected
