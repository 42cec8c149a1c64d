"""Which columns the trials of a space want beside their own; `test_run_space.py` counts them on Ray."""

from types import SimpleNamespace

from raysed.config.cell_postprocessing import CellPostProcessing
from raysed.config.table import Cell
from raysed.predict.trial_postprocessing import WantedColumn
from raysed.tune.cell_columns import wanted_columns
from raysed.tune.preparation import fold_faults

CROSSED = CellPostProcessing(method="boxes", tuned_for="psds1", tuned_on="evaluation")


def cell(name, postprocessing=None):
    return Cell(id=name, table="1", column=name, xvalid="dry", postprocessing=postprocessing)


def resolved(*cells):
    training = SimpleNamespace(cells={each.id: ("val", "eval") for each in cells})
    space = SimpleNamespace(cells=cells, groups=None)
    return SimpleNamespace(space=space, training_of=lambda _: training), training


def test_the_own_and_the_median_want_nothing():
    cells = (cell("own"), cell("same", "median"), cell("crossed", CROSSED), cell("raw", "raw"))
    assert wanted_columns(*resolved(*cells)) == [
        WantedColumn("dry", "val", "boxes", "psds1", "evaluation"),
        WantedColumn("dry", "eval", "boxes", "psds1", "evaluation"),
        WantedColumn("dry", "val", "raw", "", ""),
        WantedColumn("dry", "eval", "raw", "", ""),
    ]
    assert WantedColumn.of("dry", "val", CROSSED).postprocessing == CROSSED


def test_sets_that_are_too_small_to_cross_fit():
    space, _ = resolved(cell("own"), cell("crossed", CROSSED))
    assert list(fold_faults(space, {"val": 5, "eval": 4})) == [
        "cell crossed: postprocessing is cross-fitted on 5 parts, but eval holds 4 clips"
    ]
    space.space.groups = "groups.tsv"  # of which each may be a part
    assert list(fold_faults(space, {"val": 2, "eval": 1})) == [
        "cell crossed: postprocessing is cross-fitted on 2 parts, but eval holds 1 groups of clips"
    ]
