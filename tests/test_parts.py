"""Files in parts: cut, carried, put together and checked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.parts import join_parts, write_parts

FILES = {"data/a.parquet": b"0123456789", "data/b": b"", "c.json": b"{}" * 7}


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_files_come_back_from_parts_of_at_most_so_many_bytes(tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 11)
    parts = write_parts(tmp_path / "p" / "data.json", FILES | {"large": tmp_path / "large"}, 8)
    assert [path.stat().st_size for path in parts] == [8, 8, 8, 8, 3]
    assert join_parts(tmp_path / "p" / "data.json", tmp_path / "there") == 4
    assert contents(tmp_path / "there") == FILES | {"large": b"x" * 11}
    assert join_parts(tmp_path / "p" / "data.json", tmp_path / "there") == 0


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(1, 30))
def test_any_files_in_any_parts(tmp_path_factory, given_bytes, size):
    folder = tmp_path_factory.mktemp("parts")
    files = {f"f{n}": content for n, content in enumerate(given_bytes)}
    parts = write_parts(folder / "p" / "x.json", files, size)
    total = sum(map(len, given_bytes))
    assert len(parts) == -(-total // size) and all(p.stat().st_size <= size for p in parts)
    join_parts(folder / "p" / "x.json", folder / "there")
    assert contents(folder / "there") == files


def test_missing_and_damaged_parts_are_all_named_and_nothing_is_written(tmp_path):
    index = tmp_path / "p" / "data.json"
    parts = write_parts(index, FILES, 8)
    parts[0].unlink()
    parts[2].write_bytes(b"12345678")
    with pytest.raises(ValueError, match=r"data-1-00.part is not there; data-1-02.part is damaged"):
        join_parts(index, tmp_path / "there")
    assert not (tmp_path / "there").exists()
    with pytest.raises(ValueError, match="no index of parts"):
        join_parts(tmp_path / "other.json", tmp_path / "there")


def test_a_half_carried_set_goes_on_where_it_was(tmp_path):
    index = tmp_path / "p" / "data.json"
    write_parts(index, FILES, 8)
    join_parts(index, tmp_path / "there")
    (tmp_path / "there" / "c.json").write_bytes(b"half")
    assert join_parts(index, tmp_path / "there") == 1
    assert contents(tmp_path / "there") == FILES


def test_new_parts_take_the_place_of_the_old_when_their_index_stands(tmp_path):
    index = tmp_path / "p" / "state.json"
    write_parts(index, FILES, 8)
    kept = index.read_bytes()
    write_parts(index, {"c.json": b"new"}, 8)
    assert {path.name for path in index.parent.iterdir()} == {"state.json", "state-2-00.part"}
    assert not list(tmp_path.glob(".state*"))
    # Killed before the new index: the old one is still whole.
    index.write_bytes(kept)
    write_parts(index, FILES, 8)
    assert json.loads(index.read_text())["number"] == 2


def test_hollow_files_are_names_and_sizes(tmp_path):
    index = tmp_path / "p" / "data.json"
    parts = write_parts(index, {}, 8, {"audio/a.flac": 10_000_000})
    assert parts == []
    assert join_parts(index, tmp_path / "there") == 1
    made = tmp_path / "there" / "audio" / "a.flac"
    assert made.stat().st_size == 10_000_000 and made.read_bytes()[:4] == bytes(4)


def test_no_file_lands_outside(tmp_path):
    index = tmp_path / "p" / "data.json"
    write_parts(index, {"../outside": b"x"}, 8)
    with pytest.raises(ValueError, match="lies outside"):
        join_parts(index, tmp_path / "there")
    assert not (tmp_path / "outside").exists()
