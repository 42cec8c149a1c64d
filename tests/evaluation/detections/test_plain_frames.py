"""The kernel reads what Arrow reads, to the last bit, or says nothing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.evaluation.detections.plain_frames import plain_frames
from raysed.storage.tab_separated import LONGEST_FIELD

NAMES = ("onset", "offset", "Cat")


def read(folder: Path, content: str | bytes, names: tuple[str, ...] = NAMES) -> np.ndarray | None:
    path = folder / "clip.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return plain_frames(path, names)


def test_columns_come_in_the_order_of_the_names(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufeffCat\toffset\tonset\n.5e1\t1\t0\n".replace(".5e1", "5e-1"))
    assert found is not None
    assert found.tolist() == [[0.0, 1.0, 0.5]]
    found = read(tmp_path, "onset\toffset\tCat\n0\t0.04\t-12.5\n0.04\t0.08\t1.25E+2")
    assert found is not None
    assert found.tolist() == [[0, 0.04, -12.5], [0.04, 0.08, 125]]


FIELD = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 1, width=32).map(lambda number: f"{number:.9g}"),
    st.floats(0, 1).map(lambda number: f"{number:.6f}"),
    st.integers(-(10**19), 10**19).map(str),
    st.from_regex(r"\A-?[0-9]{0,4}\.?[0-9]{0,18}([eE][+-]?[0-9]{0,4})?\Z"),
    st.sampled_from(["", "-", ".", "-inf", "nan", " 1", "1 ", "+1", "1_0", "0x1", "\r", "é"]),
)


@settings(max_examples=500, deadline=None)
@given(
    rows=st.lists(st.lists(FIELD, min_size=3, max_size=3), min_size=1, max_size=3),
    end=st.booleans(),
)
def test_a_number_is_the_nearest_one_or_the_file_is_left(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: bool
) -> None:
    text = "\n".join("\t".join(row) for row in (NAMES, *rows)) + "\n" * end
    found = read(tmp_path_factory.mktemp("frames"), text)
    if found is not None:
        expected = np.array([[float(field) for field in row] for row in rows])
        assert found.tobytes() == expected.tobytes()


def test_what_programs_print_is_read(tmp_path: Path) -> None:
    scores = np.random.default_rng(1).random(1000).astype(np.float32)
    for form in ("{:.6f}", "{:.3e}", "{:.9g}", "{:.15f}"):
        lines = [f"0\t1\t{form.format(score)}" for score in scores]
        found = read(tmp_path, "\n".join(["\t".join(NAMES), *lines, ""]))
        assert found is not None
        assert found[:, 2].tolist() == [float(form.format(score)) for score in scores]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "onset\toffset\tCat",
        "onset\toffset\tCat\n",
        "onset\toffset\tDog\n0\t1\t1\n",
        "onset\toffset\tCat\tDog\n0\t1\t1\t1\n",
        "onset\toffset\toffset\n0\t1\t1\n",
        "onset\toffset\tCat\n0\t1\n",
        "onset\toffset\tCat\n0\t1\t1\t1\n",
        "onset\toffset\tCat\n0\t1\t1\n\n",
        "onset\toffset\tCat\r\n0\t1\t1\r\n",
        "onset\toffset\tCat\n0\t1\t0.1234567890123456\n",
        "onset\toffset\tCat\n0\t1\t1.2.3\n",
        "onset\toffset\tCat\n0\t1\t1e\n",
        "onset\toffset\tCat\n0\t1\t1e23\n",
        f"onset\toffset\tCat\n0\t1\t{'0' * LONGEST_FIELD}\n",
        f"onset\toffset\tCat\n0\t1\t0.{'0' * 30}\n",
        b"onset\toffset\tCat\n0\t1\t1\0\n",
    ],
)
def test_whatever_else_is_left_to_others(tmp_path: Path, content: str | bytes) -> None:
    assert read(tmp_path, content) is None
