"""Classes by their names, from packages and from files of the working directory."""

import hashlib
import sys

import pytest
from torch import nn

from raysed.storage.own_python import load_own, own_hash, source_file


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with files of one's own; what is imported is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_class_of_a_package():
    assert load_own("torch.nn:Linear") is nn.Linear
    assert source_file("torch.nn.modules.linear:Linear").name == "linear.py"


def test_a_file_beside_the_space(here):
    (here / "own_spaces").mkdir()
    path = here / "own_spaces/nets.py"
    path.write_text("class Net:\n    size = 3\n")
    assert source_file("own_spaces.nets:Net") == path
    assert "own_spaces.nets" not in sys.modules, "its hash is known without running it"
    assert own_hash("own_spaces.nets:Net") == hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    assert load_own("own_spaces.nets:Net").size == 3


@pytest.mark.parametrize("name", ["Net", "nets.py:Net", "a/b:Net", "nets:", ":Net", "a..b:Net"])
def test_what_names_no_class_is_refused(name):
    for find in (load_own, source_file):
        with pytest.raises(ValueError, match=r"expected package\.module:Name"):
            find(name)


def test_what_is_not_there_or_cannot_be_imported_is_refused(here):
    (here / "own_broken.py").write_text("raise KeyError('oh')\n")
    (here / "own_empty.py").write_text("")
    with pytest.raises(ValueError, match="KeyError: 'oh'"):
        load_own("own_broken:Net")
    with pytest.raises(ValueError, match="has no attribute 'Net'"):
        load_own("own_empty:Net")
    for name in ("own_missing:Net", "own_missing.deeper:Net"):
        with pytest.raises(ValueError, match="is not found"):
            source_file(name)
