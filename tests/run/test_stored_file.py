"""Stored JSON read as a model."""

import pytest

from raysed.run.stored_file import Stored, parse_stored, read_stored
from raysed.storage.folder import Folder


class Thing(Stored):
    count: int
    names: tuple[str, ...] = ()


def test_other_versions_keys_are_left_out_and_absent_files_are_none(tmp_path):
    folder = Folder(str(tmp_path))
    assert read_stored(folder, "thing.json", Thing) is None
    folder.write("thing.json", b'{"count": 2, "names": ["a"], "later": 1}')
    assert read_stored(folder, "thing.json", Thing) == Thing(count=2, names=("a",))


@pytest.mark.parametrize("content", [{}, {"count": "many"}, [], None, {"count": 1, "names": 3}])
def test_a_fault_names_file_key_and_what_to_do(content):
    with pytest.raises(
        ValueError, match=r"^run/thing\.json: .*\n.*restore it, or remove it"
    ) as caught:
        parse_stored(content, "run/thing.json", Thing)
    if isinstance(content, dict):
        assert ("names" if "names" in content else "count") in str(caught.value)
