"""When a ratio has fallen, and the tables made from stored results."""

import json

import pytest

from benchmarks import regress, table
from benchmarks.regress import compare, limit_of, standard_error
from tests.paths import ROOT


def row(ratio=3.0, low=2.9, high=3.1, n=5, name="stage"):
    return {
        "name": name,
        "reference": "peer",
        "ratio": ratio,
        "ratio_min": low,
        "ratio_max": high,
        "n": n,
    }


def verdicts(recorded, fresh):
    return {judged.name: judged.verdict for judged in compare(recorded, fresh)}


def test_the_error_of_a_median():
    assert standard_error(row(n=5)) == pytest.approx(1.25 * 0.2 / 5)
    # 3 errors are 0.21, less than a tenth of 3.
    assert limit_of(row(), row()) == pytest.approx(2.7)
    wide = row(low=2.0, high=4.0)
    assert limit_of(wide, row()) == pytest.approx(3.0 - 3 * (0.5**2 + 0.05**2) ** 0.5)


@pytest.mark.parametrize(
    ("fresh", "verdict"),
    [
        (row(), "ok"),
        (row(ratio=2.71, low=2.6, high=2.8), "ok"),
        (row(ratio=2.69, low=2.6, high=2.8), "fell"),
        (row(ratio=9.0, low=8.0, high=9.5), "ok"),
        (row(ratio=2.4, low=1.0, high=3.0), "ok"),
        (row(ratio=1.0, low=1.0, high=1.0, n=1), "single"),
    ],
)
def test_a_ratio_falls_where_it_lies_clearly_under(fresh, verdict):
    assert verdicts([row()], [fresh]) == {"stage": verdict}


def test_rows_that_are_gone_and_rows_that_are_new():
    found = compare([row(), row(name="old")], [row(), row(name="new")])
    assert {j.name: j.verdict for j in found} == {"stage": "ok", "old": "missing", "new": "new"}
    assert [j.name for j in found if j.failed] == ["old"]


def stored(tmp_path, monkeypatch, rows):
    content = {"benchmark": "mel", "hardware": {"cpu": "x", "cores": 2}, "rows": rows}
    monkeypatch.setattr(regress, "RESULTS", tmp_path)
    (tmp_path / "mel.json").write_text(json.dumps(content, indent=1))
    return content


def outcome(*arguments):
    with pytest.raises(regress.typer.Exit) as ended:
        regress.main(*arguments)
    return ended.value.exit_code


def test_a_fall_is_named_and_ends_with_1(tmp_path, monkeypatch, capsys):
    content = stored(tmp_path, monkeypatch, [row(), row(name="other")])
    output = tmp_path / "said"
    output.write_text(
        "a table\n" + json.dumps(content | {"rows": [row(ratio=2.0), row(name="other")]})
    )
    assert outcome(None, [output]) == 1
    said = capsys.readouterr().out.splitlines()
    assert "mel: stage, against peer: fell" in said
    assert json.loads(said[-1])["failed"] == ["mel: stage, against peer: fell"]
    assert outcome(None, [tmp_path / "mel.json"]) == 0


def test_nothing_to_compare_is_refused(tmp_path, monkeypatch, capsys):
    stored(tmp_path, monkeypatch, [])
    (tmp_path / "bad").write_text("no JSON\n")
    assert outcome(["mell"], None) == 2
    assert "there are mel" in capsys.readouterr().err
    for name in ("bad", "absent"):
        assert outcome(None, [tmp_path / name]) == 2
        assert name in capsys.readouterr().err


def test_other_sounds_are_told():
    recorded = {"hardware": {"cores": 2}, "bank": "procedural"}
    assert regress.differences("data", recorded, recorded) == []
    (line,) = regress.differences("data", recorded, recorded | {"bank": "mini-DESED as wav"})
    assert "another bank, procedural, now mini-DESED as wav" in line


def test_the_recorded_results_have_not_fallen_against_themselves():
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        rows = regress.read(path)["rows"]
        assert not [j for j in compare(rows, rows) if j.failed]


def test_numbers_are_short():
    given = [96_521.86, 1000, 999.6, 226.55, 85.6, 2.914, 0.08299]
    assert [table.number(v) for v in given] == [
        "96,500",
        "1,000",
        "1e+03",
        "227",
        "85.6",
        "2.91",
        "0.083",
    ]


def test_the_tables_replace_what_is_between_the_marks(tmp_path):
    text = f"head\n{table.BEGIN}\nold\n{table.END}\ntail\n"
    assert table.with_tables(text, "new\n") == f"head\n{table.BEGIN}\nnew\n{table.END}\ntail\n"
    with pytest.raises(ValueError, match="marks"):
        table.with_tables("no marks", "")
    content = {
        "benchmark": "mel", "date": "2026-01-02T00:00", "commit": "abc", "clock": "CPU seconds",
        "hardware": {"cpu": "x", "cores": 2},
        "rows": [row() | {"unit": "clips/s", "value": 200.2, "ceiling": 800.0, "extrapolated": True}],
    }  # fmt: skip
    (tmp_path / "mel.json").write_text(json.dumps(content))
    made = table.tables(tmp_path).splitlines()
    assert made[1] == "2026-01-02, commit abc, x, 2 cores; CPU seconds."
    assert made[-1] == "| stage | peer (extrapolated) | 3 | 2.9, 3.1 | 5 | 200 | 800 | clips/s |"


def test_the_readme_is_current():
    text = table.README.read_text()
    assert table.with_tables(text, table.tables()) == text, "run python -m benchmarks.table"
