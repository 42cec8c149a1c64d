"""One tree of sounds and built data sets for all tests of runs."""

from pathlib import Path

import pytest

from tests.tune.tiny import write_tiny_tree


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny")
    write_tiny_tree(root)
    return root
