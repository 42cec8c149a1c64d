"""Arrow reads what tab_separated reads, or nothing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.storage.plain_table import plain_columns
from raysed.storage.tab_separated import LONGEST_FIELD, read_table

HEADER = "filename\tonset\tevent_label\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


FIELD = st.one_of(
    st.sampled_from(
        ["", "a.wav", '"b.wav', " c", "1.5", "-inf", "nan", "NA", "\ufeff", "\r", "\x1c"]
    ),
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.lists(FIELD, min_size=1, max_size=4), max_size=4),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_it_agrees_with_the_grammar_or_says_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str, last: bool
) -> None:
    lines = [HEADER.strip(), *("\t".join(row) for row in rows)]
    path = written(tmp_path_factory.mktemp("table"), end.join(lines) + end * last)
    found = plain_columns(path, ("filename", "onset"))
    if found is None:
        return
    table = read_table(path, ("filename", "onset"))
    assert table.faults == []
    assert table.lines == list(range(2, len(table.rows) + 2))
    expected = [[field or None for field in row] for row in table.rows]
    assert np.stack([found[name] for name in table.columns], axis=1).tolist() == expected


def test_what_programs_write_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, f"\ufeff{HEADER}a.wav\t0.1\tCat\nb.wav\t\t\n")
    found = plain_columns(path, ("filename",))
    assert found is not None
    assert {name: column.tolist() for name, column in found.items()} == {
        "filename": ["a.wav", "b.wav"], "onset": ["0.1", None], "event_label": ["Cat", None]
    }  # fmt: skip


def test_numbers_are_the_nearest_ones(tmp_path: Path) -> None:
    texts = ["0.1", "-inf", "1e-5", "0.30000000000000004", "0.123456789012345678"]
    path = written(tmp_path, "onset\toffset\n" + "".join(f"{text}\t1\n" for text in texts))
    found = plain_columns(path, (), ("onset", "offset"))
    assert found is not None
    assert found["onset"].tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "filename\tevent_label\na.wav\tCat\n",
        f"{HEADER}a.wav\tone\tCat\n",
        f"{HEADER}a.wav\n",
        f"{HEADER}\na.wav\t1\tCat\n",
        f"{HEADER} a.wav\t1\tCat\n",
        f"{HEADER}a.wav\t1\t{'C' * (LONGEST_FIELD + 1)}\n",
        HEADER.encode() + b"a\xe9.wav\t1\tCat\n",
        HEADER.encode("utf-16"),
        "filename\tonset\tonset\na.wav\t1\t2\n",
    ],
)  # fmt: skip
def test_other_forms_are_left_to_the_grammar(tmp_path: Path, content: str | bytes) -> None:
    assert plain_columns(written(tmp_path, content), ("filename", "onset"), ("onset",)) is None
