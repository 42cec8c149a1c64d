"""The rows of the tables as texts, on values made by hand."""

from dataclasses import replace

from raysed.config.table import Contrast
from raysed.report import latex, markdown
from raysed.report.table_rows import DifferenceText, difference_text, metric_tables, spaced
from raysed.run.trial_state import Standing
from tests.report.values import DONE, PLAN, contrast, value


def test_a_row_holds_number_interval_and_outcome():
    cells = [value("a", "VAL", published=0.3414), value("b", "VAL")]
    (found,) = metric_tables(PLAN, cells, [contrast("VAL", -0.05)])
    assert (found.table, found.evaluation, found.title) == ("1", "VAL", "event F1 %")
    a, b = found.rows
    assert (a.value, a.interval, a.missing) == ("50.0", "[40.0, 60.0]", "")
    assert (a.published, a.seeds, b.published) == ("34.1", ("50.0",), "")
    assert found.againsts == ("b",) and b.differences == {}
    assert a.differences == {"b": DifferenceText("-5.0", "[-7.0, -3.0]", "lower")}


def test_a_hole_is_named_and_missing_seeds_are_counted():
    waiting = Standing("t-seed1", "not started")
    part = value("a", "VAL", seeds=(0.5, None), trials=(DONE, waiting))
    none = value("b", "VAL", seeds=(None,), trials=(Standing("t-seed0", "failed", "why"),))
    (found,) = metric_tables(PLAN, [part, none], [])
    a, b = found.rows
    assert (a.missing, a.seeds) == ("1 of 2", ("50.0", "-"))
    assert (b.value, b.interval, b.missing, b.seeds) == ("failed", "", "", ("failed",))


def test_tables_are_in_the_order_of_the_plan():
    cells = [value("a", "VAL"), value("a", "EVAL"), replace(value("a", "VAL"), metric="psds")]
    found = metric_tables(PLAN, cells, [])
    assert [(each.evaluation, each.title) for each in found] == [
        ("VAL", "event F1 %"),
        ("VAL", "PSDS"),
        ("EVAL", "event F1 %"),
    ]


def test_only_contrasts_of_the_plan_and_of_this_table_are_columns():
    plan = PLAN.model_copy(
        update={"contrasts": (Contrast(cell="a", against="b"), Contrast(cell="z", against="y"))}
    )
    others = [
        replace(contrast("VAL", 0.1), cell="z", against="y"),
        replace(contrast("VAL", 0.1), against="c"),
        contrast("VAL", 0.1),
    ]
    (found,) = metric_tables(plan, [value("a", "VAL")], others)
    assert found.againsts == ("b",)


def test_markdown_and_latex_show_the_same_texts():
    cells = [value("a", "VAL", published=0.3414), value("b", "VAL")]
    found = metric_tables(PLAN, cells, [contrast("VAL", -0.05)])
    pages = "\n".join(markdown.tables(found)["1"]), latex.cell_table(found, PLAN.seeds, "clips")
    (row, _) = found[0].rows
    less = row.differences["b"]
    for text in (row.value, row.interval, row.published, less.value, less.interval):
        assert all(text in page for page in pages)


def test_empty_texts_leave_no_space():
    assert spaced("a", "", "b") == "a b" and spaced("", "") == ""


def test_untrained_cells_and_ties_are_named():
    cells = [
        replace(value("a", "val", seeds=(0.0,)), untrained=1),
        replace(value("b", "val", seeds=(0.0, 0.5, None), trials=(DONE, DONE, DONE)), untrained=1),
    ]
    tied = replace(
        contrast("val", 0.0), simultaneous_low=0.0, simultaneous_high=0.0, trials=("t", "t")
    )
    first, second = metric_tables(PLAN, cells, [tied])[0].rows
    assert first.missing == "not trained" and second.missing == "2 of 3, 1 not trained"
    assert first.differences["b"] == DifferenceText("", "", "same training", "same training")
    (lines,) = markdown.tables(metric_tables(PLAN, cells, [tied])).values()
    assert any("(not trained)" in line and "| same training " in line for line in lines)
    tex = latex.cell_table(metric_tables(PLAN, cells, [tied]), (0,), "clips")
    assert "less b & same training" in tex and "undecided" not in tex
    assert difference_text(tied, "open").mark == "same training, open"
