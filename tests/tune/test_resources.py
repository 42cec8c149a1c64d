"""What is asked of the nodes before trials start."""

from dataclasses import replace

import pytest

from raysed.config.space import read_space
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.tune import resources
from raysed.tune.resources import (
    bundles_of,
    check_nodes,
    settle_gpus,
    settle_precision,
    trials_on,
)
from tests.paths import ROOT


def asked(monkeypatch, nodes):
    found = []
    monkeypatch.setattr(resources, "cluster_nodes", lambda: [{"CPU": 1.0}] * nodes)
    monkeypatch.setattr(resources, "check_visible", found.append)
    return found


def test_every_node_must_see_the_run_and_the_data(monkeypatch, tmp_path):
    found = asked(monkeypatch, 2)
    check_nodes(Folder(str(tmp_path)), [f"{tmp_path}/weak-1", "s3://bucket/dry-2"])
    assert found == [
        {
            "the run": f"{tmp_path}/status.json",
            f"data set {tmp_path}/weak-1": f"{tmp_path}/weak-1/manifest.json",
        }
    ]


def test_one_node_and_object_stores_need_no_question(monkeypatch, tmp_path):
    found = asked(monkeypatch, 1)
    check_nodes(Folder(str(tmp_path)), [])
    assert found == []
    found = asked(monkeypatch, 3)
    check_nodes(Folder("s3://bucket/run"), ["s3://bucket/dry-2"])
    assert found == []


@pytest.mark.parametrize(
    ("nodes", "workers", "gpus", "at_once"),
    [
        ([{"CPU": 8.0, "GPU": 0.0}], 1, 0.0, 4),
        ([{"CPU": 8.0}, {"CPU": 64.0, "GPU": 2.0}], 1, 0.25, 8),
        ([{"CPU": 8.0}, {"CPU": 64.0, "GPU": 2.0}], 2, 1.0, 1),
    ],
)
def test_gpus_are_used_where_there_are_any(monkeypatch, nodes, workers, gpus, at_once):
    monkeypatch.chdir(ROOT)
    resolved = read_space("tune_spaces/ablation.yaml", unset=[])
    asked_for = resolved.space.resources.model_copy(update={"workers": workers})
    space = resolved.space.model_copy(update={"resources": asked_for})
    settled = settle_gpus(replace(resolved, space=space), nodes)
    assert [bundle.get("GPU", 0.0) for bundle in bundles_of(settled)] == [gpus] * workers
    assert trials_on(settled, nodes) == at_once


def test_a_number_of_gpus_is_left_as_it_is(monkeypatch):
    monkeypatch.chdir(ROOT)
    resolved = read_space("tune_spaces/demo.yaml")
    assert settle_gpus(resolved, [{"CPU": 8.0, "GPU": 8.0}]) is resolved


def precisions(resolved):
    return {training.trial.precision for training in resolved.trainings}


def ids(resolved):
    return [training.id for training in resolved.trainings]


def with_gpus(monkeypatch, gpus):
    monkeypatch.chdir(ROOT)
    resolved = read_space("tune_spaces/ablation.yaml", unset=[])
    asked_for = resolved.space.resources.model_copy(update={"gpus_per_worker": gpus})
    return replace(resolved, space=resolved.space.model_copy(update={"resources": asked_for}))


def test_trials_on_gpus_round_to_tf32_and_have_ids_of_their_own(monkeypatch, tmp_path):
    run = Folder(str(tmp_path))
    cpu, gpu, later = (
        settle_precision(with_gpus(monkeypatch, gpus), run) for gpus in (0.0, 0.25, "auto")
    )
    assert (precisions(cpu), precisions(gpu), precisions(later)) == (
        {"float32"},
        {"tf32"},
        {"float32"},
    )
    assert ids(cpu) == ids(later)
    assert not set(ids(cpu)) & set(ids(gpu))


@pytest.mark.parametrize("began", [0.0, 0.25])
@pytest.mark.parametrize("goes_on", [0.0, 0.25, "auto"])
def test_a_run_goes_on_in_the_precision_that_it_began_with(monkeypatch, tmp_path, began, goes_on):
    run = Folder(str(tmp_path))
    before = settle_precision(with_gpus(monkeypatch, began), run)
    RunPlan.of(before, [], 1).write(run)
    assert ids(settle_precision(with_gpus(monkeypatch, goes_on), run)) == ids(before)
