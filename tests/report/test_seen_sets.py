"""What a training has seen of what it is evaluated on is said."""

from raysed.report.seen_sets import seen_lines
from raysed.run.run_plan import PlannedCell, PlannedTraining, RunPlan


def cell(id: str, training: str, xvalid: str, *evaluation: str) -> PlannedCell:
    return PlannedCell(
        id=id, table="t", column=id, training=training, xvalid=xvalid, evaluation=evaluation
    )


def plan(*cells: PlannedCell) -> RunPlan:
    data = {"synthetic": "train", "weak": "tags", "unlabelled": "rest", "xvalid": ["x"]}
    shares = {"synthetic": 6, "weak": 0, "unlabelled": 2, "strong": {"more": 3}}
    training = PlannedTraining(id="a", config={"data": data, "shares": shares})
    return RunPlan(
        space="s", seeds=(0,), cells=cells, bootstrap_draws=100, trainings=(training,), trials=1
    )


def test_other_recordings_need_no_words() -> None:
    elsewhere = cell("theirs", "of files", "", "train")
    assert seen_lines(plan(cell("own", "a", "x", "val", "tags"), elsewhere)) == []


def test_sets_of_the_training_and_of_the_choice_are_named() -> None:
    cells = cell("one", "a", "x", "train", "val", "x"), cell("two", "a", "y", "train", "x", "more")
    assert seen_lines(plan(*cells)) == [
        "train is trained on (one, two): values on it are no results",
        "more is trained on (two): values on it are no results",
        "x chooses the epoch, too (one): values on it are optimistic",
    ]
    (line,) = seen_lines(plan(cell("three", "a", "x", "rest")))
    assert line == "rest is trained on (three): values on it are no results"
