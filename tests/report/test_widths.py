"""Half-widths by hand."""

from dataclasses import replace

from raysed.report.widths import width_lines
from tests.report.values import value


def test_the_largest_half_width_stands_beside_the_papers() -> None:
    wide = replace(
        value("a", "val", published=0.5), low=0.35, high=0.40, recipe=(0.37, 0.36, 0.384)
    )
    narrow = replace(value("b", "val"), low=0.3, high=0.31)
    unknown = value("c", "val", seeds=(None,))
    assert width_lines([narrow, wide, unknown]) == [
        "Largest half-width of an interval:",
        "  val, event F1: ours 2.5 (95 %), by the paper's recipe 1.2; the paper states 1.2 (90 %)",
        "",
    ]


def test_sets_of_which_the_paper_says_nothing_have_no_line() -> None:
    assert width_lines([value("a", "elsewhere")]) == []
