"""The campaign of bad inputs: that it counts what it says, and that all are named."""

import pytest

from benchmarks import bad_inputs
from benchmarks.bad_inputs import Kind, table


def refuse(text: str) -> None:
    raise ValueError(text)


def test_what_counts_as_named() -> None:
    kind = Kind("score", "tables")
    kind.ask("a.tsv", lambda: refuse("a.tsv, line 3: is wrong"))
    kind.ask("b.tsv", lambda: refuse("a table is wrong"))
    kind.ask("c.tsv", lambda: None)
    kind.ask("d.tsv", lambda: 1 / 0)
    kind.note("e.wav", 3, "skipped: e.wav: is cut short")
    kind.note("f.wav", 0, "f.wav was taken for whole")
    assert kind.tried == ["a.tsv", "b.tsv", "c.tsv", "d.tsv", "e.wav", "f.wav"]
    assert kind.unnamed == ["b.tsv", "c.tsv", "d.tsv", "f.wav"]
    assert table([kind, Kind("data", "clips", ["x"])])[2:] == [
        "| score | tables | 6 | 2 |",
        "| data | clips | 1 | 1 |",
        "| all | | 7 | 3 |",
    ]


def test_every_bad_input_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code = bad_inputs.main()
    printed = capsys.readouterr()
    assert printed.err.count("not named") == 0 and code == 0
    tried, named = printed.out.splitlines()[-1].split("|")[3:5]
    assert int(tried) == int(named) > 200
