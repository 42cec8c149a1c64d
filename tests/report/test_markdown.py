from raysed.report import markdown
from raysed.report.markdown import aligned, family_lines
from raysed.report.report import write_report
from raysed.report.table_rows import metric_tables
from raysed.run.trial_state import Standing
from raysed.storage.json_file import write_json
from tests.report.values import DONE, PLAN, contrast, value


def tables(plan, cells, contrasts):
    return markdown.tables(metric_tables(plan, cells, contrasts))


def test_each_set_shows_its_own_contrast():
    cells = [value(name, evaluation) for evaluation in ("VAL", "EVAL") for name in "ab"]
    text = "\n".join(tables(PLAN, cells, [contrast("VAL", -0.05), contrast("EVAL", 0.07)])["1"])
    val, evaluation = text.split("Table 1, EVAL")
    assert "-5.0 [-7.0, -3.0] lower" in val and "+7.0" not in val
    assert "+7.0 [+5.0, +9.0] higher" in evaluation and "-5.0" not in evaluation


def test_columns_without_content_are_left_out():
    head = tables(PLAN.model_copy(update={"contrasts": ()}), [value("a", "VAL")], [])["1"][2]
    assert head == "| event F1 % | ours [95 %]       | each seed | training |"
    lines = tables(PLAN, [value("a", "VAL", published=0.3414)], [contrast("VAL", 0.1)])["1"]
    assert "published" in lines[2] and "less b [simultaneous 95 %]" in lines[2]
    assert "| 34.1 " in lines[4]


def test_a_comparison_of_a_claim_is_no_column():
    lines = tables(
        PLAN.model_copy(update={"contrasts": ()}), [value("a", "VAL")], [contrast("VAL", 0.1)]
    )["1"]
    assert "less b" not in lines[2]


def test_holes_are_said_where_the_value_would_stand():
    failed, waiting = Standing("t-seed0", "failed", "why"), Standing("t-seed1", "not started")
    under_way = Standing("t-seed2", "unfinished", "epoch 3/9", 3)
    cells = [
        value("a", "VAL", seeds=(0.5, None, None), trials=(DONE, waiting, under_way)),
        value("b", "VAL", seeds=(None, None), trials=(failed, failed)),
        value("c", "VAL", seeds=(None, None), trials=(failed, waiting)),
    ]
    a, b, c = tables(PLAN, cells, [])["1"][4:7]
    assert "50.0 [40.0, 60.0] (1 of 3)" in a
    assert "50.0 / - / epoch 3 " in a
    assert "| failed  " in b and "failed / failed" in b
    assert "| not finished" in c and "failed / - " in c


def test_tables_are_aligned_markdown():
    lines = tables(PLAN, [value("a", "VAL"), value("longer", "VAL")], [contrast("VAL", 0.1)])["1"]
    table = [line for line in lines if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    assert set(table[1]) == {"|", "-"}
    assert aligned([["a", "bb"], ["ccc", "d"]]) == ["| a   | bb |", "|-----|----|", "| ccc | d  |"]


def test_how_much_of_a_family_is_there():
    whole = family_lines([contrast("VAL", 0.1)])[1]
    assert "VAL, event F1: all 2 planned differences" in whole
    part = family_lines([contrast("VAL", 0.1, family=1)])[1]
    assert "VAL, event F1: 1 of 2 planned differences" in part
    assert family_lines([]) == []


def test_a_failed_trial_shows_its_hole_and_its_reason(run, tmp_path):
    (tmp_path / "run" / "trials" / "p-seed1" / "result.json").unlink()
    write_json(run.child("trials/p-seed1"), "failed.json", {"reason": "DivergedError: not finite"})
    text = "\n".join(write_report(run).lines)
    assert "(1 of 2)" in text and "/ failed" in text
    assert "failed: p-seed1 (poor): DivergedError: not finite" in text
    assert "3 of 4 trials are finished" in text
    assert "One seed so far (poor): the intervals are over clips" in text


def test_a_bar_in_a_label_moves_no_value():
    """A cell's label may hold one, and a reader of the table took 53.0 for the next column."""
    assert aligned([["cell", "F1"], ["a | b", "53.0"]]) == [
        "| cell   | F1   |",
        "|--------|------|",
        "| a \\| b | 53.0 |",
    ]
