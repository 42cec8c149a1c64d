"""A wrong x-valid name is told with every other fault of a space."""

import pytest
import yaml

from raysed.config.fault import ConfigError
from raysed.config.space import read_space
from raysed.config.xvalid_names import with_xvalid_faults
from tests.cli.programs import JOB

CELL = {"id": "a", "table": "1", "column": "a", "xvalid": "vall"}


@pytest.fixture
def faults(tmp_path):
    def read(**change):
        sets = JOB["sets"] | {"val": {"kind": "recorded", "subset": "validation"}}
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(JOB | {"sets": sets}))
        base = {
            "data": {"weak": "weak", "evaluation": ["val"]},
            "shares": {"synthetic": 0, "unlabelled": 0, "weak": 2},
        }
        space = {
            "name": "tiny", "data_job": str(tmp_path / "job.yaml"), "run": str(tmp_path / "run"),
            "seeds": [0], "base": base, "cells": [CELL], **change,
        }  # fmt: skip
        path = tmp_path / "space.yaml"
        path.write_text(yaml.safe_dump(space, sort_keys=False))
        with pytest.raises(ConfigError) as refused:
            read_space(path)
        return refused.value.faults

    return read


WRONG = "data.xvalid names vall, which the data job tiny lacks (it has val, weak)"


def test_with_a_fault_of_the_space(faults):
    found = faults(seeds=[0, 0])
    assert len(found) == 2 and "seeds: given twice" in found[0] and WRONG in found[1]
    assert "space.yaml:" in found[1]


def test_with_a_fault_of_the_cell(faults):
    found = faults(cells=[CELL | {"set": {"model": {"dropout": 3}}}])
    assert any("dropout" in line for line in found) and any(WRONG in line for line in found)


def test_alone(faults):
    assert any(WRONG in line for line in faults())


@pytest.mark.parametrize("content", [None, {"cells": 3}, {"cells": [3], "data_job": "absent.yaml"}])
def test_what_cannot_be_read_adds_nothing(content):
    with pytest.raises(ConfigError) as refused, with_xvalid_faults(content, {(): "x:1"}):
        raise ConfigError(["one"])
    assert refused.value.faults == ["one"]
