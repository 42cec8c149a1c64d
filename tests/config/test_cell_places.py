"""A fault of a cell is told at the line that set the value."""

from raysed.config.cell_places import base_places, cell_places
from raysed.config.search import Search

PLACES = {
    ("base",): "s.yaml:2", ("base", "shares"): "s.yaml:3", ("base", "shares", "weak"): "s.yaml:4",
    ("cells", 0): "s.yaml:8", ("cells", 0, "xvalid"): "s.yaml:9", ("cells", 0, "set", "shares", "weak"): "s.yaml:10",
    ("cells", 1): "s.yaml:12", ("cells", 1, "xvalid"): "s.yaml:13",
    ("change", "b", "shares", "weak"): "s.yaml:20",
    ("search",): "s.yaml:30", ("search", "parameters", "optimiser.lr"): "s.yaml:31",
}  # fmt: skip


def test_the_base_is_where_it_stands():
    found = base_places(None, 1, PLACES)
    assert found[()] == "s.yaml:2"
    assert found["shares", "weak"] == "s.yaml:4"
    assert found["data", "xvalid"] == "s.yaml:13"


def test_a_cell_sets_over_the_base_and_a_change_over_both():
    assert cell_places(None, 0, "a", PLACES)["shares", "weak"] == "s.yaml:10"
    assert cell_places(None, 1, "b", PLACES)["shares", "weak"] == "s.yaml:20"
    other = cell_places(None, 1, "c", PLACES)
    assert (other["shares", "weak"], other["shares",]) == ("s.yaml:4", "s.yaml:3")
    assert (other[()], other["data", "xvalid"]) == ("s.yaml:12", "s.yaml:13")


def test_a_search_sets_its_parameters():
    search = Search.model_construct(parameters={"optimiser.lr": None})
    found = cell_places(search, 0, "drawn", PLACES)
    assert (found[()], found["optimiser", "lr"]) == ("s.yaml:30", "s.yaml:31")
    assert ("data", "xvalid") not in found
