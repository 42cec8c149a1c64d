"""Tables become files: their names, and which tables would share one."""

import pytest

from raysed.config.table import Cell, table_stem, tables_by_file


@pytest.mark.parametrize(
    ("table", "stem"),
    [
        ("1", "1"),
        ("1 (mini-DESED)", "1-mini-desed"),
        ("6 and its literal text", "6-and-its-literal-text"),
        ("../up", "up"),
        ("§", "table"),
    ],
)
def test_the_files_of_a_table(table, stem):
    assert table_stem(table) == stem


def test_tables_that_share_their_files():
    tables = ("Main", "main", "1", "Main", "main!")
    cells = [Cell(id=f"c{n}", table=t, column="x", xvalid="v") for n, t in enumerate(tables)]
    assert tables_by_file(cells) == {"main": ["Main", "main", "main!"], "1": ["1"]}
