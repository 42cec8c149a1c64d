"""What the figures for papers share: sizes that fit a page, keys, dashes, texts that matplotlib takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.page.layout import (
    COLUMN_IN,
    DASHES,
    PAGE_IN,
    TALL_IN,
    dashes_of,
    line_key,
    mark_key,
    panels,
    rows_of,
    shortened,
)


@given(st.text(max_size=60), st.integers(2, 50))
def test_a_shortened_text_fits_and_keeps_its_beginning(text, most):
    found = shortened(text, most)
    assert "$" not in found.replace(r"\$", "")
    shown = found.replace(r"\$", "$")
    assert len(shown) <= most
    assert shown == text or (shown == text[: most - 1] + "…" and len(text) > most)


@pytest.mark.parametrize(
    ("count", "width", "grid"),
    [(1, COLUMN_IN, (1, 1)), (2, COLUMN_IN, (1, 2)), (3, PAGE_IN, (1, 3)), (8, PAGE_IN, (2, 6))],
)
def test_panels_stand_in_rows_of_six(count, width, grid):
    figure, axes = panels(count)
    assert len(axes) == count and figure.get_figwidth() == width
    assert axes[0].get_gridspec().get_geometry() == grid
    visible = [axis for axis in figure.axes if axis.get_visible()]
    assert visible == axes
    axes[0].set_xlim(0, 7)
    assert all(axis.get_xlim() == (0, 7) for axis in axes)


def test_rows_are_labelled_from_the_top_and_never_higher_than_a_page():
    figure, axis = rows_of([{}, {}], ["first", "$second"])
    assert [text.get_text() for text in axis.get_yticklabels()] == ["first", r"\$second"]
    top_to_bottom = [axis.transData.transform((0, y))[1] for y in (0, 1)]
    assert top_to_bottom[0] > top_to_bottom[1]
    assert figure.get_figheight() < TALL_IN
    many, _ = rows_of([{}] * 500, ["x"] * 500)
    assert many.get_figheight() == TALL_IN


def labels(figure):
    return [[text.get_text() for text in legend.get_texts()] for legend in figure.legends]


@pytest.mark.parametrize(("published", "shown"), [(None, []), (0.3, ["published"])])
def test_the_hollow_diamond_is_explained_where_there_is_one(published, shown):
    figure, _ = panels(1)
    rows = [{"published": None}, {"published": published}]
    mark_key(figure, rows, {"reproduced": ("o", "green"), "open": ("s", "grey")})
    assert labels(figure) == [["reproduced", "open", *shown]]


def test_seeds_have_dashes_of_their_own_until_these_are_used_up():
    seeds = list(range(len(DASHES) + 2))
    found = dashes_of(seeds)
    assert [found[seed] for seed in seeds] == [*DASHES, *DASHES[:2]]
    figure, _ = panels(3)
    line_key(figure, {"dry": "red"}, seeds)
    assert labels(figure) == [
        ["dry", "seed 0, 6", "seed 1, 7", "seed 2", "seed 3", "seed 4", "seed 5"]
    ]


def test_one_seed_needs_no_key_and_no_line_no_legend():
    figure, _ = panels(1)
    line_key(figure, {"dry": "red"}, [4])
    assert labels(figure) == [["dry"]]
    bare, _ = panels(1)
    line_key(bare, {}, [4])
    assert labels(bare) == []
