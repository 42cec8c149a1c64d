"""Which names out of files may be joined to a folder, for reading and for writing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.storage.safe_name import name_fault, safe_file_name, safe_name


@pytest.mark.parametrize(
    "name",
    ["a.wav", "day1/take.wav", "Y1_30.000_40.000", "a::b.wav", "...", "a..b", "ä ü.wav", ".hidden"],
)
def test_names_within_a_folder(name: str) -> None:
    assert safe_name(name) == name and name_fault(name) == ""


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *[
            (name, "leaves its folder")
            for name in ("../a", "a/../../b", "/etc/a", "a/..", "..", "a\\b")
        ],
        *[(name, "is empty") for name in ("", " ")],
        *[(name, "is a folder, not a file") for name in (".", "./")],
        *[(name, "control character") for name in ("a\tb", "a\nb", "a\0b", "a\x7f")],
        ("a\udcff.wav", "is not UTF-8 text"),
    ],
)
def test_names_that_are_refused(name: str, fault: str) -> None:
    assert fault in name_fault(name)
    with pytest.raises(ValueError, match=fault):
        safe_name(name)


def test_a_file_has_no_folders_above_it() -> None:
    assert safe_file_name("shard-00000.parquet") == "shard-00000.parquet"
    for name in ("a/b", "../a", "/a"):
        with pytest.raises(ValueError, match=r"in a folder of its own|leaves its folder"):
            safe_file_name(name)


@given(st.text(max_size=12, alphabet="ab./\\ \t"), st.text(max_size=6, alphabet="./a"))
def test_a_name_that_passes_stays_within(name: str, rest: str) -> None:
    for each in (name, rest, f"{name}/{rest}"):
        if name_fault(each) == "":
            joined = Path("/data/folder", each).resolve()
            assert joined.is_relative_to("/data/folder") and joined != Path("/data/folder")
