"""What the process of a trial is told, and what it does with it."""

import gc

import pytest
import torch

from raysed.training.ranks import Ranks
from raysed.tune import trial_job
from raysed.tune.trial_job import open_sets, train_rank
from tests.data.small_sets import write_set
from tests.training.tiny import trial


def test_sets_are_opened_by_name_from_the_nodes_cache(tmp_path):
    urls = {name: write_set(tmp_path / name, seed=n) for n, name in enumerate(("one", "two"))}
    sets = open_sets({"sets": urls, "cache": str(tmp_path / "cache")})
    assert {name: found.id for name, found in sets.items()} == {"one": "one", "two": "two"}
    assert list((tmp_path / "cache").iterdir())
    assert sets["one"].encoder_file is None
    job = {"sets": urls, "cache": str(tmp_path / "cache"), "encoder": "beats.pt"}
    assert open_sets(job)["two"].encoder_file == "beats.pt"


def job_of(tmp_path, **change):
    job = {"threads": 1, "gpus": 0, "name": "t-seed0", "trial": trial().model_dump(mode="json")}
    return {**job, "sets": {}, "cache": str(tmp_path), "out": str(tmp_path), "seed": 3, **change}


def test_a_gpu_that_torch_does_not_find_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="was given a GPU, but torch finds none"):
        train_rank(job_of(tmp_path, gpus=1), Ranks(), "")


def test_the_trial_is_trained_as_the_job_says(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(trial_job, "train", lambda *a, **k: calls.append((a, k)))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        train_rank(job_of(tmp_path), Ranks(), "")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    ((given, sets, out), options) = calls[0]
    assert (given, sets, out.url) == (trial(), {}, str(tmp_path))
    assert (options["seed"], options["device"], options["ranks"]) == (3, "cpu", Ranks())


def test_a_configuration_that_is_none_names_the_trial(tmp_path):
    with pytest.raises(ValueError, match="t-seed0"):
        train_rank(job_of(tmp_path, trial={"data": 3}), Ranks(), "")


def test_trials_of_a_process_map_a_set_once_and_for_as_long_as_one_of_them_reads_it(tmp_path):
    urls = {name: write_set(tmp_path / name, seed=n) for n, name in enumerate(("one", "two"))}
    job = {"sets": urls, "cache": str(tmp_path / "cache")}
    sets, again = open_sets(job), open_sets({**job, "sets": {"other name": urls["one"]}})
    assert again["other name"] is sets["one"]
    with_encoder = open_sets({**job, "encoder": "beats.pt"})["one"]
    assert with_encoder is not sets["one"] and with_encoder.encoder_file == "beats.pt"
    before = len(trial_job._OPENED)
    del sets, again, with_encoder
    gc.collect()
    assert len(trial_job._OPENED) == before - 3
