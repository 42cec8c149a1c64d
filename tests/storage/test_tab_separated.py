"""The grammar of TSV files: what is a row, what is refused and how it is named."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.storage.tab_separated import LONGEST_FIELD, Table, read_header, read_table, shown
from tests.paths import ROOT


def read(folder: Path, content: str | bytes) -> Table:
    path = folder / "table.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, ("filename",))


def test_quotation_marks_are_letters(tmp_path: Path) -> None:
    table = read(tmp_path, 'filename\tduration\n"a.wav\t1\nb.wav\t2\nc"d.wav"\t3\n')
    assert table.rows == [['"a.wav', "1"], ["b.wav", "2"], ['c"d.wav"', "3"]]
    assert table.lines == [2, 3, 4]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_byte_order_mark_and_blank_lines(tmp_path: Path, end: str, mark: bytes) -> None:
    text = end.join(("filename\tonset", "a.wav\t 1.5 ", "", "\t", "b.wav\t", ""))
    table = read(tmp_path, mark + text.encode())
    assert table.columns == ("filename", "onset")
    assert table.rows == [["a.wav", "1.5"], ["b.wav", ""]]
    assert table.lines == [2, 5]


@settings(max_examples=100, deadline=None)
@given(
    name=st.text(
        st.characters(blacklist_categories=("Cs",), blacklist_characters="\t\n\r\0"), min_size=1
    ).filter(lambda text: text == text.strip())
)
def test_any_name_is_read_as_it_is_written(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """Separators of other alphabets, vertical tabs and quotation marks do not end a row."""
    table = read(tmp_path_factory.mktemp("name"), f"filename\tonset\n{name}\t1\nb\t2\n")
    assert table.rows == [[name, "1"], ["b", "2"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"table.tsv, line 1: expected the tab-separated columns filename"),
        ("\n\na.wav\n", r"table.tsv, line 1: expected the tab-separated columns filename"),
        ('"filename"\t"onset"\n', r"line 1: .* is missing .*; quotation marks are letters here"),
        ("filename\tonset\tonset\n", r"table.tsv, line 1: the column 'onset' stands there twice"),
        ("filename\tonset \n", r"table.tsv, line 1: the column 'onset ' begins or ends"),
        ("filename\tonset\n".encode("utf-16"), r"table.tsv: is UTF-16 text; save it as UTF-8"),
        (b"PK\x03\x04", r"table.tsv: is a ZIP archive or a spreadsheet; expected tab-separated"),
        (b"\x1f\x8b\x08", r"table.tsv: is compressed by gzip; expected tab-separated text"),
        (b"filename\na.wav\nb\xe9.wav\n", r"table.tsv, line 3: is not UTF-8 text \(byte 0xe9\)"),
        ("filename\tonset\n".encode("utf-16-le"), r"table.tsv, line 1: is not text \(a zero byte"),
    ],
)
def test_what_is_no_table_is_refused_by_name(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.wav\t1\tCat\tmore", "line 3: more fields than the header has columns (4, 3)"),
        ("x" * (LONGEST_FIELD + 1), "line 3: a field of 100,001 characters, expected at most"),
        ("a.wav\t1\tCat ", "line 3: the event_label 'Cat ' begins or ends with a blank"),
        ("a.wav,Cat", "line 3: 'a.wav,Cat' is the only field: columns must be separated by tabs"),
        (" a.wav\t1\tCat", "line 3: the filename ' a.wav' begins or ends with a blank"),
    ],
)
def test_a_row_that_breaks_the_grammar_is_named(tmp_path: Path, row: str, message: str) -> None:
    table = read(tmp_path, f"filename\tonset\tevent_label\nb.wav\t1\tCat\n{row}\n")
    assert len(table.rows) == 1
    with pytest.raises(ValueError) as caught:
        table.refuse_faults()
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_empty_fields_at_the_end_may_be_left_out(tmp_path: Path) -> None:
    header = "filename\tonset\toffset\tevent_label\n"
    assert read(tmp_path, f"{header}Y1_30.000_40.000\n").rows == [["Y1_30.000_40.000", "", "", ""]]
    assert read(tmp_path, "filename\tevent_labels\na.wav\n").faults == [
        (2, "1 field, expected 2: 'a.wav'")
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_header_is_read_without_its_rows(tmp_path: Path, end: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_bytes(f"\ufefffilename\tonset{end}a.wav\t1\t2{end}".encode())
    assert read_header(path) == ("filename", "onset")
    path.write_bytes(b"a\ta\n")
    with pytest.raises(ValueError, match=r"line 1: the column 'a' stands there twice"):
        read_header(path)
    path.write_bytes("filename\n".encode("utf-16"))
    with pytest.raises(ValueError, match="UTF-16"):
        read_header(path)


def test_messages_stay_short() -> None:
    assert shown("a\tb") == r"'a\tb'"
    assert len(shown("x" * 500)) < 130


def test_nothing_else_reads_tables() -> None:
    """A second reader would be a second grammar. Tables of a million labels are Arrow's, with the same one for TSVs, and so
    are TSVs in their plain form."""
    others = ("read_csv", "open_csv", "csv.reader", "DictReader", "genfromtxt", "loadtxt")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "raysed").rglob("*.py")
        if any(reader in path.read_text() for reader in others)
    ]
    assert sorted(found) == [
        "raysed/data/recorded/label_table.py",
        "raysed/storage/plain_table.py",
    ]
