import pytest
import yaml

from raysed.config.reader import ConfigError
from raysed.config.space import merge, read_space

JOB = {
    "name": "tiny",
    "out": "out",
    "roots": {"recorded": "r", "soundbank": "s", "cooccurrences": "c"},
    "sets": {
        "train": {"kind": "synthetic", "split": "train", "count": 10},
        "dry": {"kind": "synthetic", "split": "xvalid", "count": 5},
        "plain": {"kind": "synthetic", "split": "xvalid", "count": 5, "pitch_shift_semitones": 0.0},
        "weak": {"kind": "recorded", "subset": "weak"},
        "unlabelled": {"kind": "recorded", "subset": "unlabelled"},
        "validation": {"kind": "recorded", "subset": "validation"},
    },
}
BASE = {
    "data": {
        "synthetic": "train",
        "weak": "weak",
        "unlabelled": "unlabelled",
        "evaluation": ["validation"],
    }
}


def cell(name, xvalid="dry", **change):
    return {"id": name, "table": "1", "column": name, "xvalid": xvalid, "set": change}


@pytest.fixture
def space_of(tmp_path):
    def resolve(cells, **change):
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(JOB, sort_keys=False))
        space = {
            "name": "tiny",
            "data_job": str(tmp_path / "job.yaml"),
            "run": str(tmp_path / "run"),
            "seeds": [0],
            "base": BASE,
            "cells": cells,
            **change,
        }
        (tmp_path / "space.yaml").write_text(yaml.safe_dump(space, sort_keys=False))
        return read_space(tmp_path / "space.yaml")

    return resolve


def faults_of(space_of, cells, **change):
    with pytest.raises(ConfigError) as error:
        space_of(cells, **change)
    return error.value.faults


def test_cells_that_differ_in_xvalid_share_one_training(space_of):
    resolved = space_of(
        [
            cell("a"),
            cell("b", xvalid="plain"),
            cell("c", teacher={"snr_db": None}),
            cell("d", teacher={"snr_db": 30.0}),
        ]
    )
    assert [tuple(t.cells) for t in resolved.trainings] == [("a", "b", "d"), ("c",)]
    assert resolved.trainings[0].trial.data.xvalid == ("dry", "plain")
    assert resolved.training_of("b") is resolved.trainings[0]


def test_training_id_ignores_order_of_cells_and_defaults_written_out(space_of):
    first = space_of([cell("a"), cell("b", xvalid="plain")]).trainings[0].id
    again = space_of([cell("b", xvalid="plain", model={"dropout": 0.5})]).trainings[0].id
    assert first == again
    assert space_of([cell("b", model={"dropout": 0.4})]).trainings[0].id != first


def test_an_unused_subset_is_no_part_of_the_identity(space_of):
    alone = {"synthetic": 6, "unlabelled": 0, "weak": 0}
    with_names = space_of([cell("a", shares=alone)]).trainings[0].id
    without = space_of([cell("a", shares=alone, data={"weak": None, "unlabelled": None})])
    assert without.trainings[0].id == with_names


def test_data_sets_in_use(space_of):
    resolved = space_of([cell("a", shares={"synthetic": 6, "unlabelled": 0, "weak": 0})])
    assert resolved.data_sets() == ("train", "dry", "validation")


def test_faults_of_all_cells_with_their_lines(space_of):
    faults = faults_of(
        space_of,
        [
            cell("a", model={"dropot": 0.5}),
            cell("b", xvalid="nowhere"),
            cell("c", xvalid="weak"),
            cell("d", data={"weak": None}),
        ],
    )
    text = "\n".join(faults)
    assert len(faults) == 5
    assert "cell c: data.xvalid names weak, which is trained on" in text
    assert "model.dropot: unknown key; did you mean dropout? (cell a)" in text
    assert (
        "cell b: data.xvalid names nowhere, which the data job tiny lacks (it has train, dry"
        in text
    )
    assert "cell c: data.xvalid names weak, which has no strong labels" in text
    assert "shares.weak is 6, but data.weak names no data set" in text
    assert all("space.yaml:" in fault for fault in faults)


def test_cells_of_one_training_keep_their_own_evaluation_sets(space_of):
    other = cell("b", data={"evaluation": ["validation", "dry"]})
    training = space_of([cell("a"), other]).trainings[0]
    assert training.trial.data.evaluation == ("validation", "dry")
    assert training.cells == {"a": ("validation",), "b": ("validation", "dry")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": [-1]}, "seeds: -1 is negative"),
        ({"resources": {"workers": 2, "gpus_per_worker": 0.5}}, "one whole GPU per rank"),
        (
            {"base": {"data": {**BASE["data"], "xvalid": ["dry"]}}},
            "each cell names its own x-valid set",
        ),
    ],
)
def test_impossible_spaces(space_of, change, message):
    assert message in faults_of(space_of, [cell("a")], **change)[0]


def test_two_cells_with_one_id(space_of):
    assert "two cells have the id a" in faults_of(space_of, [cell("a"), cell("a")])[0]


def test_seeds_given_twice(space_of):
    assert "seeds: given twice" in faults_of(space_of, [cell("a")], seeds=[1, 1])[0]


def test_contrast_of_unknown_cell(space_of):
    faults = faults_of(space_of, [cell("a")], contrasts=[{"cell": "a", "against": "b"}])
    assert "no cell has the id b" in faults[0]


def test_pooling_must_end_at_one_band(space_of):
    faults = faults_of(space_of, [cell("a", model={"filters": [8], "pooling": [[2, 2]]})])
    assert "leaves 64 frequency bands" in faults[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shares": {"synthetic": 0, "weak": 0}}, "nothing else has labels"),
        ({"postprocessing": {"median_window": 4}}, "must be odd"),
        ({"model": {"pooling": [[2, 2]]}}, "7 blocks, pooling 1"),
        ({"schedule": {"epochs": 0}}, "schedule.epochs"),
        ({"teacher": {"snr_db": "30"}}, "teacher.snr_db"),
        ({"optimiser": {"betas": [1.5, 0.9]}}, "optimiser.betas"),
        ({"model": {"filters": [8], "pooling": [[1000, 128]]}}, "no output frame"),
    ],
)
def test_impossible_values(space_of, change, message):
    assert message in faults_of(space_of, [cell("a", **change)])[0]


def test_merge_lays_over_mapping_by_mapping():
    base = {"a": {"x": 1, "y": 2}, "b": [1]}
    assert merge(base, {"a": {"y": 3}, "b": [2]}) == {"a": {"x": 1, "y": 3}, "b": [2]}
    assert base == {"a": {"x": 1, "y": 2}, "b": [1]}
