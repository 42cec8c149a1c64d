"""What the report says of cells with few seeds."""

from dataclasses import replace
from types import SimpleNamespace

from raysed.report.few_seeds import few_seeds_lines, moved_lines, untrained_lines
from tests.report.values import DONE, value


def cells(**seeds):
    return [value(name, "val", seeds=(0.5,) * n, trials=(DONE,) * n) for name, n in seeds.items()]


def lines(asked, looks=(), drawn="clips", **seeds):
    plan = SimpleNamespace(seeds=tuple(range(asked)), looks=looks, drawn=drawn)
    return few_seeds_lines(plan, cells(**seeds))


def test_one_seed_says_nothing_of_others():
    assert lines(1, a=1)[0].startswith("One seed: the intervals are over clips")


def test_two_or_three_seeds_decide_about_these_models_alone():
    (line, _) = lines(5, a=3, b=5)
    assert line.startswith("Two or three seeds (a): the intervals are over other clips")
    assert "and decide about them" in line


def test_intervals_over_groups_are_called_so():
    assert lines(1, drawn="groups of clips", a=1)[0].startswith(
        "One seed: the intervals are over groups of clips;"
    )
    assert "over other groups of clips, these" in lines(5, drawn="groups of clips", a=3, b=5)[0]


def test_where_seeds_grow_only_the_cells_intervals_are_about_clips():
    (line, _) = lines(3, looks=(3, 6), a=3)
    assert line.startswith("Two or three seeds: the intervals of single cells are over other clips")
    assert "decide" not in line


def test_enough_seeds_need_no_words():
    assert lines(5, a=5, b=4) == []


def test_intervals_about_sets_of_this_size_are_named():
    plan = SimpleNamespace(drawn="clips")
    a, b = cells(a=2, b=2)
    assert moved_lines(plan, [a, b]) == []
    about = "other sets of as many clips, these seeds given"
    (line, _) = moved_lines(plan, [replace(a, about=about), b, replace(b, about=about)])
    assert line.startswith("Intervals that are about other sets of as many clips, not")
    assert line.endswith(f": {a.metric} (2).")


def test_cells_that_had_nothing_to_choose_an_epoch_by_are_named():
    a, b, c = cells(a=2, b=2, c=2)
    assert untrained_lines([a]) == []
    found = untrained_lines([a, replace(b, untrained=1), replace(c, untrained=2)])
    assert found[0] == (
        "Not trained: x-valid F1 was 0 after every epoch: b (1 of 2 seeds), c (2 of 2 seeds). Their values say nothing;"
        " more epochs (`schedule` in the space) may help."
    )
