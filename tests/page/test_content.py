import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.trial import PostProcessing
from raysed.page.clips import MEDIA_BUDGET_BYTES, RANDOM, WORST, choose, errors_of, trim_media
from raysed.page.content import flat, jsonable, page_content
from raysed.page.trials import cost, short
from raysed.report.report import write_report
from raysed.report.results import read_results
from raysed.run.run_plan import RunPlan
from raysed.storage.json_file import write_json
from raysed.training.scoring import encode_statistics, statistics_of
from tests.page.made_up import MadeUp, make_run, reference, scores, write_dataset

PAIR = MadeUp(cells=4, xvalids=("dry", "plain"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("content"), PAIR)


@pytest.fixture(scope="module")
def content(run):
    return page_content(write_report(run))


def test_the_values_are_the_tables(run, content):
    results = read_results(run, RunPlan.require(run))
    found = {(row["cell"], row["metric"]): row for row in content["values"]}
    assert len(found) == 8
    heat = content["classes"][0]
    for cell in ("C0", "C3"):
        own = [r for r in results if r.cell == cell]
        f1 = [2 * e.tp_NK.sum(0) / (e.n_ref_NK.sum(0) + e.n_sys_NK.sum(0)) for e in (r.statistics.event for r in own)]  # fmt: skip
        assert found[cell, "event_f1"]["value"] == pytest.approx(np.mean(f1), abs=1e-9)
        assert heat["cells"][cell] == pytest.approx(np.mean(f1, axis=0), abs=6e-3)
    assert heat["events"] == results[0].statistics.event.n_ref_NK.sum(0).tolist()


def test_a_model_has_one_value_wherever_it_stands(content):
    """Not the value and its rounding, which the page would round again to another digit."""
    seeds = {(r["cell"], r["metric"]): r["seed_values"] for r in content["values"]}
    for row in content["selection"]:
        for cell in row["cells"]:
            for metric in ("event_f1", "psds"):
                assert row[metric] == pytest.approx(seeds[cell, metric][row["seed"]], abs=1e-9)


def test_published_differences_and_verdicts(content):
    rows = {(r["cell"], r["against"], r["metric"]): r for r in content["contrasts"]}
    assert rows["C1", "C0", "event_f1"]["published"] == pytest.approx(-0.05)
    far = rows["C3", "C0", "event_f1"]
    assert far["simultaneous_high"] < 0 and far["verdict"] == "reproduced"
    # The claim asks for C0 - C1, which a contrast asks for the other way round.
    assert rows["C0", "C1", "event_f1"]["mirrored"] and not rows["C1", "C0", "event_f1"]["mirrored"]
    assert rows["C0", "C1", "event_f1"]["published"] == pytest.approx(0.05)


def test_claims_have_two_answers_and_what_they_can_settle(content):
    (claim,) = content["claims"]
    assert claim["holds"] in ("yes", "no", "open") and claim["agrees"] in ("yes", "no", "open")
    assert claim["power"]["id"] == claim["id"] and set(claim["power"]["resolves"]) == {
        "event_f1",
        "psds",
    }
    assert "stored statistics" in claim["power"]["source"]
    for row in claim["comparisons"]:
        assert row["rule"] == "all of the interval above 0" and row["agreement_margin"] > 0
        assert row["seeds_low"] <= row["difference"] <= row["seeds_high"]
        assert row["about"] == "other clips, these seeds given"


def test_the_curve_of_the_page_has_the_tables_psds(content):
    values = {r["cell"]: r["value"] for r in content["values"] if r["metric"] == "psds"}
    for curve in content["roc"]["curves"]:
        assert np.mean(curve["etpr"][:-1]) == pytest.approx(values[curve["cell"]], abs=0.02)


def test_model_selection_lists_what_each_xvalid_set_chose(content):
    rows = content["selection"]
    assert {(r["trial"], r["xvalid"]) for r in rows} == {
        (f"t00{t}-seed{s}", x) for t in (0, 1) for s in (0, 1) for x in ("dry", "plain")
    }
    assert {r["xvalid"]: r["epoch"] for r in rows} == {"dry": 0, "plain": 1}
    assert [r["cells"] for r in rows if r["training"] == "t001"] == [["C2"], ["C2"], ["C3"], ["C3"]]
    dry, plain = (r["event_f1"] for r in rows[:3:2])
    assert dry != plain


def test_cells_that_show_one_system_share_a_row(tmp_path):
    run = make_run(tmp_path, MadeUp(cells=2, seeds=1))
    plan = RunPlan.require(run).as_json()
    plan["cells"].append(plan["cells"][0] | {"id": "again"})
    write_json(run, "plan.json", plan)
    content = page_content(write_report(run))
    assert [row["cells"] for row in content["selection"]] == [["C0", "again"], ["C1"]]
    first, _, again = content["roc"]["curves"]
    assert first["etpr"] == again["etpr"]


def test_curves_and_cost(content):
    trial = content["trials"][0]
    assert trial["losses"] == {
        "loss": [1.0, 0.5, 0.3333, 0.25],
        "strong": [0.5, 0.25, 0.1667, 0.125],
    }
    assert trial["xvalid"]["plain"]["student"] == [0.02, 0.12, 0.22, 0.32]
    assert trial["cost"] == {
        "train_s": 40.0, "xvalid_s": 8.0, "evaluation_s": 6.0, "wall_s": 54.0, "clips": 960,
        "clips_per_s": 24.0, "ranks": 1, "device": "core", "device_hours": 0.03,
        "training_kwh": 0.5, "evaluation_kwh": None, "counted": "CPU",
    }  # fmt: skip


def test_operations_and_energy(content):
    assert content["run"]["energy_baseline"] is None
    first = content["ledger"][0]
    assert (first["macs_10s"], first["training_kwh"], first["evaluation_kwh"]) == (
        930.9e6,
        0.5,
        None,
    )
    assert first["ew_psds_training"] is None


def test_device_hours_count_gpus_where_there_are_any():
    epochs = [{"train_s": 3600.0, "clips_per_s": 2.0, "world": 4}]
    found = cost(epochs, None, {"workers": 4, "cpus_per_worker": 8, "gpus_per_worker": 1.0})
    assert (found["device"], found["device_hours"]) == ("GPU", 4.0)
    assert cost(epochs, None, {"cpus_per_worker": 8})["device_hours"] == 32.0
    assert cost([], None, {})["clips_per_s"] is None


def test_the_clips_are_the_worst_and_random_ones(run, content):
    results = read_results(run, RunPlan.require(run))
    chosen = choose(results)
    errors_N = np.mean([errors_of(r)[1:].sum(axis=0) for r in results], axis=0)
    names = results[0].statistics.filenames
    worst = [errors_N[names.index(name)] for name, why in chosen.items() if why == "most errors"]
    others = np.delete(errors_N, [names.index(n) for n, why in chosen.items() if why != "random"])
    assert len(worst) == WORST and min(worst) >= others.max()
    assert len(chosen) == WORST + RANDOM == len(set(chosen))
    assert choose(results) == chosen
    entry = content["browser"][0]
    assert [clip["filename"] for clip in entry["clips"]] == list(chosen)
    assert entry["missing"] is None and all(clip["picture"] for clip in entry["clips"])


def test_the_browser_shows_reference_and_detections_as_stored(content):
    truth, entry = reference(PAIR), content["browser"][0]
    clip = entry["clips"][0]
    n = truth.filenames.index(clip["filename"])
    own = truth.events.clip_E == n
    expected = zip(truth.events.label_E[own], truth.events.onset_E[own], truth.events.offset_E[own], strict=True)  # fmt: skip
    assert clip["events"] == [pytest.approx(event) for event in expected]
    assert clip["span_s"] == pytest.approx(10.0, abs=0.2)
    system = entry["systems"][0]
    stored = scores(truth, 0.15, 0).scores_NUK[n] >= np.float16(0.5)
    for k, onset, offset, _ in system["events"][0]:
        assert stored[round(onset / 0.25) : round(offset / 0.25), k].all()
    covered = sum(round((offset - onset) / 0.25) for _, onset, offset, _ in system["events"][0])
    assert covered == stored.sum()
    hits, false, missed = system["counts"][0]
    assert hits + missed == len(clip["events"]) and hits + false == len(system["events"][0])


def test_hits_are_those_that_the_event_f1_counts(content):
    """In every clip of every system as many as its counts say, each near an event of its class."""
    entry, marks = content["browser"][0], set()
    for system in entry["systems"]:
        for clip, events, (hits, false, _) in zip(
            entry["clips"], system["events"], system["counts"], strict=True
        ):
            assert [hit for *_, hit in events].count(True) == hits
            assert [hit for *_, hit in events].count(False) == false
            for k, onset, _, hit in events:
                near = [abs(on - onset) <= 0.2 + 1e-6 for own, on, _ in clip["events"] if own == k]
                assert any(near) or not hit
                marks.add(hit)
    assert marks == {True, False}


def test_a_data_set_that_is_gone_is_said(tmp_path):
    content = page_content(
        write_report(make_run(tmp_path, MadeUp(cells=1, seeds=1), dataset=False))
    )
    entry = content["browser"][0]
    assert "not where" in entry["missing"] and entry["systems"][0]["events"]
    assert {clip["picture"] for clip in entry["clips"]} == {None}
    assert {hit for events in entry["systems"][0]["events"] for *_, hit in events} == {None}
    assert {clip["events"] for clip in entry["clips"]} == {None}


def test_changed_shards_and_absent_scores_are_no_obstacle(tmp_path):
    run = make_run(tmp_path, MadeUp(cells=1, seeds=1))
    (tmp_path / "val-id" / "shard-00000.parquet").write_bytes(b"other")
    (tmp_path / "run" / "trials" / "t000-seed0" / "scores" / "val.dry.arrow").unlink()
    entry = page_content(write_report(run))["browser"][0]
    assert "SHA-256" in entry["missing"] and entry["systems"][0]["events"] is None


def test_a_page_names_no_folders(run, content):
    assert content["run"]["folder"] == "run"
    assert run.url not in json.dumps(content)


def test_different_sets_under_one_name_are_refused(tmp_path):
    run = make_run(tmp_path, MadeUp(cells=2, seeds=1, claims=False))
    truth = reference(MadeUp(clips=20))
    other = statistics_of(scores(truth, 0.3, 0), truth, PostProcessing(median_window=1))
    run.write("trials/t001-seed0/statistics/val.dry.npz", encode_statistics(other))
    with pytest.raises(ValueError, match=r"t000-seed0 was scored on 30 clips.*t001-seed0 on 20"):
        write_report(run)


def test_half_finished_failed_and_not_started_trials(tmp_path):
    run = make_run(tmp_path, MadeUp(cells=4, seeds=1))
    for name in ("t001", "t002", "t003"):
        (tmp_path / f"run/trials/{name}-seed0/result.json").unlink()
    write_json(run.child("trials/t002-seed0"), "failed.json", {"reason": "loss is <b>nan</b>"})
    (tmp_path / "run/trials/t003-seed0/progress.jsonl").unlink()
    content = page_content(write_report(run))
    states = {t["training"]: t["state"] for t in content["trials"]}
    assert states == {
        "t000": "finished",
        "t001": "unfinished",
        "t002": "failed",
        "t003": "not started",
    }
    assert [t["epochs"] for t in content["trials"]] == [4, 4, 4, 0]
    assert content["contrasts"] == [] and content["claims"][0]["verdict"] == "waiting"
    assert [c["cell"] for c in content["roc"]["curves"]] == ["C0"]


def test_a_run_without_any_result(tmp_path):
    run = make_run(tmp_path, MadeUp(cells=2, seeds=1))
    for name in ("t000", "t001"):
        (tmp_path / f"run/trials/{name}-seed0/result.json").unlink()
    content = page_content(write_report(run))
    assert content["values"] == content["browser"] == content["selection"] == []
    assert len(content["trials"]) == 2


def test_a_broken_progress_file_is_named(tmp_path):
    run = make_run(tmp_path, MadeUp(cells=1, seeds=1))
    run.write("trials/t000-seed0/progress.jsonl", b'{"epoch": 0}\n{"epo')
    with pytest.raises(ValueError, match=r"t000-seed0/progress.jsonl, line 2: not JSON"):
        page_content(write_report(run))


def test_recordings_are_found_from_any_folder(tmp_path, monkeypatch):
    """By the root that the plan holds; without it the page goes without audio."""
    run = make_run(tmp_path, MadeUp(cells=1, seeds=1))
    (tmp_path / "root").mkdir()
    soundfile.write(tmp_path / "root" / "a.wav", np.zeros(16000, np.float32), 16000)
    write_dataset(tmp_path / "val-id", reference(MadeUp()), source=json.dumps({"file": "a.wav"}))
    monkeypatch.chdir("/")
    for root, audible in ((str(tmp_path / "root"), True), (None, False)):
        write_json(run, "plan.json", RunPlan.require(run).as_json() | {"recorded_root": root})
        clips = page_content(write_report(run))["browser"][0]["clips"]
        assert {clip["audio"] is not None for clip in clips} == {audible}


def test_media_end_at_the_budget():
    clips = [{"picture": "x" * 40, "audio": "y" * 50} for _ in range(3)]
    assert trim_media(clips, 150) == 20
    assert [bool(clip["audio"]) for clip in clips] == [True, False, False]
    assert [bool(clip["picture"]) for clip in clips] == [True, True, False]
    assert MEDIA_BUDGET_BYTES < 8_000_000


def test_numbers_that_json_cannot_hold_become_none():
    found = jsonable({"a": [np.float64("nan"), np.int64(3), float("inf")], "b": (0.1 + 0.2, True)})
    assert found == {"a": [None, 3, None], "b": [0.3, True]}
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert short(123456.0) == 123500.0
    assert flat({"a": {"b": {"c": 1}}, "d": [1]}) == {"a.b.c": 1, "d": [1]}


def test_nothing_is_written_into_the_trials(run):
    def trials():
        files = [path for path in Path(run.url, "trials").rglob("*") if path.is_file()]
        return {path: path.read_bytes() for path in files}

    before = trials()
    assert len(before) > 8
    page_content(write_report(run))
    assert trials() == before
