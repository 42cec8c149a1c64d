"""Metrics over all thresholds in the tables of a run, from the scores that its trials stored."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob, Features
from raysed.data.build.dataset_plan import plan
from raysed.data.build.resume import record
from raysed.data.features.store import open_dataset
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.postprocess import median_filter
from raysed.evaluation.metrics.registry import METRICS
from raysed.report import trial_scores
from raysed.report.report import write_report
from raysed.report.results import read_results
from raysed.run.postprocessing_record import FORMAT, PostProcessingRecord
from raysed.run.run_plan import RunPlan
from raysed.storage.json_file import write_json
from raysed.training.scoring import Scores, decode_scores, encode_scores, reference_of
from tests.data.recorded import forms
from tests.data.recorded_tree import build_shards
from tests.evaluation.scored_sets import statistics_of
from tests.report.made_up import CLASSES, CLIPS, changed_plan, reference

FRAME_S = 0.25


def truth(seed=0):
    made = reference(seed)
    rows = {name: [] for name in made.filenames}
    for clip, label, onset, offset in zip(*vars(made.events).values(), strict=True):
        rows[made.filenames[clip]].append((CLASSES[label], onset, offset))
    return rows


@pytest.fixture
def scored_run(run, monkeypatch):
    """The run with scores of every trial, and a plan that asks for metrics of them."""
    config = {"schedule": {"epochs": 9}, "postprocessing": {"median_window": 3}}
    trainings = [{"id": name, "config": config} for name in ("g", "p")]
    asked = changed_plan(run, metrics=["psds1_all", "best_event_f1"], trainings=trainings)
    write_json(run, "plan.json", asked.as_json())
    made = reference()
    for index, name in enumerate(("g-seed0", "g-seed1", "p-seed0", "p-seed1")):
        values = np.random.default_rng(index).random((CLIPS, 40, 2)).astype(np.float16)
        for clip, label, onset, offset in zip(*vars(made.events).values(), strict=True):
            values[clip, int(onset / FRAME_S) : int(offset / FRAME_S), label] += 0.35
        weak = values.max(axis=1)
        scores = Scores(made.filenames, made.durations_s, CLASSES, FRAME_S, values, weak)
        run.write(f"trials/{name}/scores/val.dry.arrow", encode_scores(scores))
    monkeypatch.setattr(trial_scores, "read_truth", lambda url, name: truth())
    return run


def test_tables_hold_metrics_over_all_thresholds(scored_run):
    report = write_report(scored_run)
    cell = next(c for c in report.cells if (c.cell, c.metric) == ("good", "psds1_all"))
    plan = RunPlan.require(scored_run)
    result = read_results(scored_run, plan)[0]
    scores = trial_scores.frame_scores(scored_run, plan, result)
    expected = METRICS["psds1_all"](statistics_of(reference(), scores))[0]
    assert cell.seed_values[0] == pytest.approx(expected, abs=1e-12)
    assert cell.low < cell.value < cell.high
    assert {c.metric for c in report.contrasts} == {"psds1_all", "best_event_f1"}
    assert "| best event F1 % " in scored_run.read("tables/1.md").decode()


def test_trials_without_scores_are_named(scored_run, tmp_path):
    (tmp_path / "run" / "trials" / "p-seed1" / "scores" / "val.dry.arrow").unlink()
    with pytest.raises(
        ValueError, match=r"psds1_all, best_event_f1 need .* 3 trials have them, .*: p-seed1\."
    ):
        write_report(scored_run)


def test_other_labels_are_refused(scored_run, monkeypatch):
    monkeypatch.setattr(trial_scores, "read_truth", lambda url, name: truth(1))
    with pytest.raises(ValueError, match=r"val: the labels of the data set are not those"):
        write_report(scored_run)


def test_a_data_set_that_is_gone_is_named(tmp_path):
    with pytest.raises(ValueError, match="does not say where the data set val is"):
        trial_scores.read_truth(None, "val")
    with pytest.raises(ValueError, match=r"the data set val is not where the run left it"):
        trial_scores.read_truth(str(tmp_path), "val")


def test_the_ground_truth_is_what_was_counted(tmp_path):
    """Of soft labels what lies above a half, its seconds united; of classes that a set does not annotate none."""
    forms.maestro_real(tmp_path / "m")
    own = AnnotatedSet(
        kind="annotated",
        audio=f"{tmp_path}/m/development_audio",
        labels=f"{tmp_path}/m/development_annotation",
        type="soft",
        map={"people talking": "Speech", "cutlery and dishes": "Dishes"},
    )
    features = Features(duration_s=4.0, n_mels=8, hop=510)
    classes = ("Dishes", "Speech")
    job = DataJob(name="m", out=str(tmp_path), classes=classes, features=features, sets={"m": own})
    (p,) = plan(job.model_copy(update={"mel": "torchaudio"}))
    record(p, build_shards(p, range(len(p.shards))))
    found = trial_scores.read_truth(p.url, "m")
    assert {name: sorted(rows) for name, rows in found.items()} == {
        "cafe_restaurant/cafe_restaurant_00.wav": [("Dishes", 0.0, 1.0), ("Speech", 1.0, 3.0)]
    }
    stored = open_dataset(p.url, tmp_path / "cache")
    for annotates in (None, ("Speech",)):
        counted = reference_of(replace(stored, annotates=annotates))
        counts = SimpleNamespace(**vars(counted), key=counted.key)
        assert trial_scores.reference_for(counts, found, None).key == counted.key


def test_counts_alone_need_no_scores(run):
    plan = RunPlan.require(run)
    results = read_results(run, plan)
    assert trial_scores.with_scores(run, plan, results) is results


MEDIAN = {"method": "class_median", "tuned_for": "psds1", "tuned_on": "xvalid"}
WINDOWS = {CLASSES[0]: 1, CLASSES[1]: 5}


def post_processed(run, name, settings):
    """Add a column of each trial of `g`, whose counts are the trial's own."""
    for seed in (0, 1):
        trial = run.child(f"trials/g-seed{seed}")
        counts = trial.read("statistics/val.dry.npz")
        for stem in (name, f"{name}-fitted"):
            trial.write(f"statistics/val.dry.{stem}.npz", counts)
        record = PostProcessingRecord(format=FORMAT, name=name, scores={})
        record.write(trial, "val", "dry", settings)


def test_what_only_smooths_has_metrics_over_all_thresholds_and_boxes_have_not(scored_run):
    plan = RunPlan.require(scored_run).as_json()
    own = next(c for c in plan["cells"] if c["id"] == "good")
    boxes = {"method": "boxes", "tuned_for": "psds1", "tuned_on": "xvalid"}
    for id, asked in (("raw", {"method": "raw"}), ("medians", MEDIAN), ("boxes", boxes)):
        plan["cells"].append(own | {"id": id, "column": id, "postprocessing": asked})
    write_json(scored_run, "plan.json", plan)
    post_processed(scored_run, "raw", {})
    post_processed(scored_run, "class_median-psds1-xvalid", {"median_window": WINDOWS})
    post_processed(scored_run, "boxes-psds1-xvalid", {})
    report = write_report(scored_run)
    found = {c.cell: c for c in report.cells if c.metric == "psds1_all"}
    assert found["boxes"].value is None
    assert "no scores" in scored_run.read("tables/1.md").decode()
    raw, medians = ([*found[name].seed_values] for name in ("raw", "medians"))
    stored = decode_scores(scored_run.read("trials/g-seed0/scores/val.dry.arrow"), "")
    for values, windows in ((raw, (1, 1)), (medians, (1, 5))):
        by_class = [
            median_filter(stored.scores_NUK[..., [k]], window) for k, window in enumerate(windows)
        ]
        frames = FrameScores.uniform(np.concatenate(by_class, -1), FRAME_S, stored.durations_s)
        expected = METRICS["psds1_all"](statistics_of(reference(), frames))[0]
        assert values[0] == pytest.approx(expected, abs=1e-12)
    assert raw != medians
    assert {each.metric for each in report.optimism} <= {"event_f1", "psds"}


def test_settings_that_lack_a_class_are_named(scored_run):
    plan = RunPlan.require(scored_run).as_json()
    own = next(c for c in plan["cells"] if c["id"] == "good")
    plan["cells"].append(own | {"id": "medians", "column": "m", "postprocessing": MEDIAN})
    write_json(scored_run, "plan.json", plan)
    post_processed(scored_run, "class_median-psds1-xvalid", {"median_window": {CLASSES[0]: 1}})
    with pytest.raises(ValueError, match=rf"xvalid\.json: median_window lacks {CLASSES[1]}"):
        write_report(scored_run)
