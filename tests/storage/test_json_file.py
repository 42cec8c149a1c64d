"""JSON that comes back as it was, and files that hold none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_was_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    folder = Folder(str(tmp_path_factory.getbasetemp() / "json"))
    write_json(folder, "x.json", value)
    assert read_json(folder, "x.json") == value


def test_a_person_can_read_it(tmp_path: Path) -> None:
    write_json(Folder(str(tmp_path)), "x.json", {"name": "Türe", "of": [1]})
    assert (tmp_path / "x.json").read_text("utf-8") == (
        '{\n "name": "Türe",\n "of": [\n  1\n ]\n}\n'
    )


def test_no_file_is_none(tmp_path: Path) -> None:
    assert read_json(Folder(str(tmp_path)), "x.json") is None
    assert read_json(Folder(str(tmp_path / "gone")), "x.json") is None


@pytest.mark.parametrize("content", [b"", b"{", b"{}x", b"\xff\xfe{}", b'{"a": caf\xe9}'])
def test_what_is_not_json_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"{tmp_path}/x\.json: not JSON \("):
        read_json(Folder(str(tmp_path)), "x.json")


def test_a_value_that_json_cannot_hold_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    write_json(folder, "x.json", [1])
    with pytest.raises(TypeError):
        write_json(folder, "x.json", {"path": Path("a")})
    assert read_json(folder, "x.json") == [1]
