"""Tables become files: their names, and which tables would share one."""

import pytest

from raysed.config.fault import ConfigError
from raysed.config.reader import validate
from raysed.config.table import Cell, Claim, table_stem, tables_by_file


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


def cell(**more):
    return {"id": "a", "table": "1", "column": "a", "xvalid": "dry", **more}


def test_published_values_are_of_any_metric_of_the_registry():
    found = validate(cell(published={"val": {"psds1": 0.3, "event_f1": None}}), Cell, source="s")
    assert found.published == {"val": {"psds1": 0.3, "event_f1": None}}


def test_unknown_metrics_are_refused_with_their_key_and_the_nearest():
    with pytest.raises(ConfigError, match=r"'pdds1' is no metric; did you mean psds1\?"):
        validate(cell(published={"val": {"pdds1": 0.3}}), Cell, source="s.yaml")
    claim = {"id": "K", "text": "t", "evaluation": "val", "metrics": ["event-f1"]}
    pair = {"cell": "a", "against": "b", "expect": "higher"}
    with pytest.raises(ConfigError, match=r"metrics.*'event-f1' is no metric; did you mean event"):
        validate({**claim, "comparisons": [pair]}, Claim, source="s.yaml")
