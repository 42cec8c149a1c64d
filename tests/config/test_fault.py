"""Faults: values with a key, which find their line in the file."""

import pytest

from raysed.config.fault import ConfigError, Fault, dotted, place_of

PLACES = {(): "job.yaml:1", ("sets",): "job.yaml:4", ("sets", "weak", "limit"): "job.yaml:7"}


@pytest.mark.parametrize(
    ("key", "place"),
    [
        (("sets", "weak", "limit"), "job.yaml:7"),
        (("sets", "weak", "part"), "job.yaml:4"),
        (("sets", "weak", "limit", 3), "job.yaml:7"),
        (("name",), "job.yaml:1"),
        ((), "job.yaml:1"),
    ],
)
def test_a_key_has_its_own_place_or_the_nearest_above(key: tuple, place: str) -> None:
    assert place_of(key, PLACES) == place
    fault = Fault(key, "is wrong")
    assert str(fault.at(PLACES)) == f"{place}: is wrong"
    assert fault.place == "", "the fault itself is not changed"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (("cells", 0, "set", "shares"), "cells[0].set.shares"),
        (("seeds", 2), "seeds[2]"),
        ((3, "id"), "[3].id"),
        ((), "the file"),
    ],
)
def test_keys_as_people_write_them(key: tuple, text: str) -> None:
    assert dotted(key) == text


def test_an_error_has_a_line_for_each_fault() -> None:
    error = ConfigError([Fault(("a",), "no", "x.yaml:2"), "plain"])
    assert error.faults == ["x.yaml:2: no", "plain"]
    assert str(error) == "x.yaml:2: no\nplain" and isinstance(error, ValueError)
