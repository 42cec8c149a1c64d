"""The hash of the code that trains: what it sees and what not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from raysed.run import provenance
from tests.paths import ROOT


@pytest.fixture
def package(tmp_path):
    """A copy of the package's code."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "raysed", tmp_path / "raysed", ignore=ignored))


def append(path, text):
    before = path.read_text()
    path.write_text(before + text)
    return before


@pytest.mark.slow
def test_the_source_hash_sees_every_module_that_a_training_imports_and_no_other(package):
    first = provenance.source_hash(package)
    assert first == provenance.source_hash()
    imported = provenance.imported_modules(package)
    names = {path.relative_to(package).as_posix() for path in imported}
    assert {"training/mean_teacher.py", "model/crnn.py", "evaluation/counts/matching.py"} <= names
    assert not names & {"doctor/examine.py", "tune/run_space.py", "cli/entry.py", "page/page.py"}
    assert not {name for name in names if name.startswith(("interface/", "report/"))}
    for path in imported:
        before = append(path, "\nADDED = 1\n")
        assert provenance.source_hash(package) != first, path
        path.write_text(before)
    others = set(package.rglob("*.py")) - set(imported)
    assert len(others) > len(imported)
    for path in others:
        append(path, "\nADDED = 1\n")
    assert provenance.source_hash(package) == first


def test_what_a_training_loads_is_in_the_closure():
    """The modules that Python has loaded after importing the trainer, but for those that packages load on top."""
    code = "import sys, raysed.training.train; print(*(m for m in sys.modules if m.startswith('raysed')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    files = {path.with_suffix("") for path in provenance.imported_modules()}
    closure = {".".join(path.relative_to(ROOT).parts).removesuffix(".__init__") for path in files}
    assert set(found.stdout.split()) <= closure


def test_imports_for_types_alone_are_none(package):
    """Nor is what stands under their condition; its other branch is."""
    before = provenance.imported_modules(package)
    path = package / "training/mean_teacher.py"
    types = "\nimport typing\nif typing.TYPE_CHECKING:\n    from raysed.page import page\nelse:\n    from raysed.doctor import examine\n"
    append(path, types)
    added = {each.relative_to(package).as_posix() for each in provenance.imported_modules(package)}
    added -= {each.relative_to(package).as_posix() for each in before}
    assert "doctor/examine.py" in added and "page/page.py" not in added


def test_comments_and_docstrings_are_no_change(package):
    first = provenance.source_hash(package)
    append(package / "training/mean_teacher.py", '# a comment\n"""And a text."""\n')
    assert provenance.source_hash(package) == first
