import io

import numpy as np
import pytest
from PIL import Image

from raysed.page.content import page_content
from raysed.page.figures import figures, roc, training_curves, write_figures
from raysed.report.report import write_report
from tests.page.made_up import MadeUp, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("figures"), MadeUp(cells=4, xvalids=("dry", "$plain")))


@pytest.mark.slow
def test_every_figure_is_written_as_png_and_svg(run, tmp_path):
    content = page_content(write_report(run))
    names = [name for name, _ in figures(content)]
    assert names == [
        "forest-val-event_f1", "seeds-val-event_f1", "forest-val-psds", "seeds-val-psds", "roc-val",
        "classes-val", "xvalid", "loss", "selection-event_f1", "selection-psds",
    ]  # fmt: skip
    lines = write_figures(run, content)
    assert len(lines) == len(names)
    for name in names:
        image = Image.open(io.BytesIO(run.read(f"figures/{name}.png")))
        width_in = image.size[0] / 300
        assert width_in == pytest.approx(7.16, abs=0.01) or width_in == pytest.approx(3.5, abs=0.01)
        assert np.asarray(image.convert("L")).std() > 5, "nothing is drawn"
    svg = run.read("figures/forest-val-event_f1.svg").decode()
    assert "C1 \u2212 C0" in svg and "published" in svg  # text, not outlines
    again = {name: run.read(f"figures/{name}.svg") for name in names}
    write_figures(run, content)
    assert again == {name: run.read(f"figures/{name}.svg") for name in names}


def test_many_cells_and_classes_are_spread_over_figures():
    trial = {"training": "t", "cells": ["C"], "epochs": 2, "losses": {"loss": [1.0, 0.5]},
             "xvalid": {"dry": {"student": [0.0, None]}}, "network": "student", "selected": {}, "seed": 0}  # fmt: skip
    curve = {
        "evaluation": "val",
        "efpr": [0, 100],
        "etpr": [0, 1],
        "low": [0, None],
        "high": [0, 1],
    }
    content = {
        "evaluations": ["val"], "metrics": [], "contrasts": [], "values": [], "selection": [],
        "roc": {"curves": [curve | {"cell": f"C{n}"} for n in range(31)]},
        "classes": [{"evaluation": "val", "classes": [f"k{n}" for n in range(400)],
                     "cells": {"C": [0.5] * 399 + [None]}}],
        "trials": [trial | {"training": f"t{n}"} for n in range(3)],
    }  # fmt: skip
    found = dict(figures(content))
    assert list(found) == ["roc-val-1", "roc-val-2", "classes-val", "xvalid", "loss"]
    assert all(figure.get_size_inches()[1] <= 9.5 for figure in found.values())


def test_nothing_to_draw_draws_nothing():
    empty = {"evaluations": ["val"], "metrics": [{"id": "psds"}], "contrasts": [], "values": [],
             "roc": {"curves": []}, "classes": [], "trials": [], "selection": []}  # fmt: skip
    assert list(figures(empty)) == []


def test_the_curve_is_that_of_the_network_that_selects():
    trial = {"training": "t", "cells": ["C"], "epochs": 2, "losses": {"loss": [1.0, 0.5]}, "seed": 0,
             "xvalid": {"dry": {"student": [0.1, 0.2], "teacher": [0.5, 0.6]}}, "network": "teacher",
             "selected": {"dry": {"epoch": 1}}}  # fmt: skip
    figure = training_curves([[trial]], "xvalid")
    line, dot = figure.axes[0].lines
    assert not figure.legends  # one set, one seed
    assert list(line.get_ydata()) == [0.5, 0.6] and list(dot.get_ydata()) == [0.6]


def test_every_seed_has_dashes_of_its_own_and_a_key():
    """As many as the paper has, and some more; the x-valid sets' colours are no key to a loss."""
    sets = {"dry": {"student": [0.1, 0.2]}, "plain": {"student": [0.2, 0.1]}}
    trials = [
        {"training": "t", "cells": ["C"], "losses": {"loss": [1.0, 0.5]}, "seed": seed,
         "xvalid": sets, "network": "student", "selected": {}}
        for seed in range(6)
    ]  # fmt: skip
    seeds = [f"seed {seed}" for seed in range(6)]
    for what, names in (("losses", seeds), ("xvalid", ["dry", "plain", *seeds])):
        (key,) = (figure := training_curves([trials], what)).legends
        assert [text.get_text() for text in key.get_texts()] == names
        assert len({dashes_of(line) for line in figure.axes[0].lines}) == 6
    more = training_curves([[*trials, trials[0] | {"seed": 6}]], "losses").legends[0]
    assert more.get_texts()[0].get_text() == "seed 0, 6"


def dashes_of(line):
    """What the line is drawn with."""
    return str(line._unscaled_dash_pattern)


def test_a_roc_panel_shows_the_cell_that_it_is_compared_with():
    rows = [
        {"cell": name, "efpr": [0, 100], "etpr": [0, height], "low": [0, 0], "high": [0, height]}
        for name, height in (("A", 0.2), ("B", 0.9))
    ]
    first, second = roc(rows[:1], {"A": rows[1]}).axes, roc(rows[1:], {"A": rows[1]}).axes
    grey, own = first[0].lines
    assert (list(grey.get_ydata()), list(own.get_ydata())) == ([0, 0.9], [0, 0.2])
    assert first[0].get_ylim()[1] >= 0.9 and "grey: B" in first[0].get_title()
    assert len(second[0].lines) == 1 and second[0].get_title() == "B"
