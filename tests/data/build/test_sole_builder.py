"""Two commands on one data set: the second is refused, and learns who the first is."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raysed.data.build.sole_builder import sole_builder


def plans(*urls: Path | str) -> Any:
    """Plans of sets in these folders."""
    return [SimpleNamespace(url=str(url)) for url in urls]


def test_the_second_is_refused_by_name_until_the_first_ends(tmp_path: Path) -> None:
    a, b = tmp_path / "out" / "a-0", tmp_path / "out" / "b-0"
    with sole_builder(plans(a)):
        who = f"{a}: another command builds .*: process {os.getpid()} on {socket.gethostname()}"
        with pytest.raises(ValueError, match=who), sole_builder(plans(b, a)):
            pass
        with sole_builder(plans(b)):  # what the refused one had is free again
            pass
    with sole_builder(plans(a, b)):
        pass
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with (
        pytest.raises(ValueError, match=r"a-0: cannot be written"),
        sole_builder(plans(tmp_path / "out" / "a-0")),
    ):
        pass


def test_an_object_store_has_no_locks() -> None:
    with sole_builder(plans("s3://lab/data/a-0")):
        pass
