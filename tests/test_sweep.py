"""The search of settings: its rules on made-up rates, its files through the configuration reader."""

import json
from functools import partial

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import sweep
from benchmarks.halving import GAIN, Axis, faster_half, search, winner
from benchmarks.sweep_data import data_axes, nested, one_set, rate
from benchmarks.sweep_trials import at_once, best_node, trial_axes
from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.config.space import read_space
from tests.paths import ROOT


def test_the_fastest_wins_where_it_is_clearly_faster():
    assert winner({"a": [10.0, 12.0, 11.0], "b": [13.0, 13.0, 13.0]}, "a") == "b"
    assert winner({"a": [10.0], "b": [10.4]}, "a") == "a", "a gain of 4 % is noise"
    assert winner({"a": [10.0], "b": [10.4]}, "b") == "b"
    assert winner({"a": [10.0, 10.0], "b": [30.0], "c": [12.0, 12.0]}, "a") == "c", "b was dropped"
    assert winner({"a": [0.0], "b": [1.0]}, "a") == "b", "the default did not run"
    assert winner({"a": [0.0], "b": [0.0]}, "a") == "a"
    assert winner({}, None) is None


def test_the_slower_half_goes_and_the_default_stays():
    rates = {None: [1.0], 1: [4.0], 2: [3.0], 4: [2.0], 8: [0.0]}
    assert faster_half(rates, None) == [None, 1, 2]
    assert faster_half({None: [1.0, 1.0], 1: [4.0, 0.5], 2: [3.0, 3.0]}, None) == [None, 2]
    assert faster_half({None: [1.0], 8: [0.0]}, None) == [None]


@given(st.dictionaries(st.integers(0, 9), st.floats(0.1, 100), min_size=1), st.data())
def test_the_winner_is_at_least_as_fast_as_the_default(rates, data):
    default = data.draw(st.sampled_from(sorted(rates)))
    found = winner({value: [r] for value, r in rates.items()}, default)
    assert found == default or rates[found] == max(rates.values()) > (1 + GAIN) * rates[default]


def test_a_search_measures_in_turns_and_halves():
    asked = []

    def measure(value):
        asked.append(value)
        return {None: 10.0, 1: 5.0, 2: 20.0, 4: 15.0}[value]

    axis = Axis("k", None, (1, 2, 4))
    rates = search(axis, measure, lambda: True)
    assert asked == [None, 1, 2, 4, 4, 2, None, None, 2]
    assert {value: len(r) for value, r in rates.items()} == {None: 3, 1: 1, 2: 3, 4: 2}
    assert winner(rates, None) == 2


def test_a_round_cut_short_does_not_count():
    left = iter([True] * 4 + [False] * 9)
    rates = search(Axis("k", 0, (1, 2)), float, lambda: next(left))
    assert rates == {0: [0.0], 1: [1.0], 2: [2.0]}
    assert winner(search(Axis("k", 0, (1,)), float, lambda: False), 0) == 0


def test_clips_per_second_leaves_the_start_out():
    notes = [(10.0, 64), (11.0, 64), (13.0, 64), (15.0, 64)]
    assert rate(notes, 2) == 2 * 64 / 4
    assert rate(notes, 1) == 3 * 64 / 5
    assert rate(notes[:2], 8) == 64, "a set that ends early gives what it can"
    assert rate(notes[:1], 1) == 0 and rate([], 4) == 0


def test_what_is_tried_fits_the_nodes():
    small = {a.key: a for a in data_axes([{"CPU": 2}])}
    assert small["cluster.tasks_in_flight"].others == (1, 3)
    assert small["cluster.mel_actors_per_node"].others == (2,)
    assert small["shard_clips"].values == (64, 16, 256)
    assert "cluster.gpus_per_mel_actor" not in small
    large = {a.key: a for a in data_axes([{"CPU": 64, "GPU": 8}] * 2)}
    assert large["cluster.tasks_in_flight"].others == (64, 192)
    assert large["cluster.mel_actors_per_node"].others == (1, 2, 32)
    assert [a.key for a in trial_axes({"CPU": 2})] == [
        "resources.cpus_per_worker",
        "base.precision",
    ]
    threads = trial_axes({"CPU": 3})[0]
    assert threads.values == (1, 2)
    shares = trial_axes({"CPU": 6, "GPU": 1})[0]
    assert shares.values == (0.25, 1.0, 0.5), "8 trials on a GPU need 8 CPUs"


def test_trials_at_once_by_the_scarcest_resource():
    settings = {"resources.cpus_per_worker": 2, "resources.gpus_per_worker": 0.0}
    assert at_once(settings, {"CPU": 8}) == 4
    assert at_once(settings, {"CPU": 8, "memory": 4.6e9}) == 3
    third = {"resources.cpus_per_worker": 1, "resources.gpus_per_worker": 1 / 3}
    assert at_once(third, {"CPU": 8, "GPU": 1}) == 3
    assert at_once(third, {"CPU": 2, "GPU": 1}) == 2
    assert at_once(third, {"CPU": 2}) == 0
    nodes = [{"NodeID": n, "Resources": r} for n, r in (("a", {"CPU": 9}), ("b", {"GPU": 1}))]
    assert best_node(nodes)["NodeID"] == "b"


def found_with(settings, rates):
    return sweep.Search(0.0, "clips/s", lambda _: 1.0, settings, rates)


@pytest.mark.parametrize("job", ["demo", "mini_desed"])
def test_the_data_settings_are_a_data_jobs(tmp_path, job):
    settings = {
        "mel": "torchaudio",
        "cluster.tasks_in_flight": 3,
        "cluster.mel_actors_per_node": None,
        "shard_clips": 256,
    }
    text = sweep.settings_yaml(found_with(settings, {"mel": {"auto": [1.0], "x": []}}), "Title.")
    assert "#   mel, clips/s: auto: 1, x: not measured (part of" in text
    content = yaml.safe_load((ROOT / "data_jobs" / f"{job}.yaml").read_text())
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(content | yaml.safe_load(text)))
    read = read_config(path, DataJob)
    assert (read.mel, read.shard_clips) == ("torchaudio", 256)
    assert (read.cluster.tasks_in_flight, read.cluster.mel_actors_per_node) == (3, None)


def test_the_trial_settings_are_a_tune_spaces(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    settings = {
        "resources.workers": 1,
        "resources.gpus_per_worker": 0.125,
        "resources.cpus_per_worker": 2,
        "base.precision": "bfloat16",
    }
    path = tmp_path / "space.yaml"
    text = sweep.settings_yaml(found_with(settings, {}), "Title.")
    path.write_text("extends: tune_spaces/demo.yaml\n" + text)
    space = read_space(path)
    assert (space.space.resources.cpus_per_worker, space.space.resources.gpus) == (2, 0.125)
    assert {t.trial.precision for t in space.trainings} == {"bfloat16"}


def test_every_key_that_is_tried_exists():
    job = nested({axis.key: axis.values[-1] for axis in data_axes([{"CPU": 8, "GPU": 2}])})
    assert job["cluster"].keys() <= set(type(DataJob.model_fields["cluster"].default).model_fields)
    assert job.keys() <= set(DataJob.model_fields)


def test_only_one_set_is_built_and_too_large_to_finish():
    job = one_set(read_config(ROOT / "data_jobs" / "demo.yaml", DataJob))
    assert list(job.sets) == ["synthetic"]
    assert job.sets["synthetic"].count > 100_000


def test_a_job_that_cannot_be_built_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sweep, "start_ray", lambda _: pytest.fail("work has started"))
    path = tmp_path / "job.yaml"
    path.write_text("name: x\nout: y\nroots: {recorded: /nowhere}\nsets: {}\n")
    with pytest.raises(sweep.typer.Exit) as refused:
        sweep.main(path, None, tmp_path, 1.0, 1.0, None, None, False)
    assert refused.value.exit_code == 2
    assert "job.yaml" in capsys.readouterr().err


@pytest.mark.ray
@pytest.mark.slow
def test_a_sweep_measures_prints_and_writes(ray_session, tmp_path, monkeypatch, capsys):
    # One axis of each kind, a node of one CPU and small clips: the search itself is tested above.
    axis = Axis("cluster.mel_actors_per_node", None, (2,))
    monkeypatch.setattr(sweep, "data_axes", lambda nodes, shard_clips: [axis])
    monkeypatch.setattr(sweep, "search", partial(search, rounds=1))
    monkeypatch.setattr(
        sweep, "best_node", lambda nodes: {**best_node(nodes), "Resources": {"CPU": 1}}
    )
    demo = read_config(ROOT / "data_jobs" / "demo.yaml", DataJob)
    built_in = sweep.built_in_job(tmp_path)
    job = built_in.model_copy(update={"features": demo.features, "shard_clips": 8})
    monkeypatch.setattr(sweep, "built_in_job", lambda _: job)
    monkeypatch.chdir(ROOT)
    space = ROOT / "tune_spaces" / "demo.yaml"
    sweep.main(None, space, tmp_path / "out", 20.0, 0.2, tmp_path, None, False)
    said = capsys.readouterr()
    content = json.loads(said.out.splitlines()[-1])
    assert content["settings"]["space"]["resources"]["cpus_per_worker"] == 1
    assert [row["reference"] for row in content["rows"]] == [
        "cluster.mel_actors_per_node = null",
        "base.precision = float32",
    ]
    assert all(row["value"] > 0 for row in content["rows"])
    for name in ("data_job", "space"):
        read = yaml.safe_load((tmp_path / "out" / f"{name}.yaml").read_text())
        assert read == content["settings"][name]
    assert "cluster.mel_actors_per_node = 2: " in said.err and "s left" in said.err
