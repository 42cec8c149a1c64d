"""A long recording has the same events in training's evaluation, in `predict` and in `score`; nothing unheard counts."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from raysed.config.data_job import DataJob, RecordedSet, Roots
from raysed.config.trial import PostProcessing
from raysed.data.build.dataset_plan import plan
from raysed.data.build.job import build
from raysed.data.build.resume import finished_shards, record
from raysed.data.build.stages import ShardWriter, make_clips, target
from raysed.data.features.store import open_dataset
from raysed.doctor.examine import examine
from raysed.evaluation.detections.events import Events
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.score.score import ScoreRequest, score
from raysed.predict.tuning import frames_of
from raysed.report.results import Result
from raysed.report.trial_scores import frame_scores, read_truth, reference_for
from raysed.storage.folder import Folder
from raysed.training.batches import BatchSource
from raysed.training.inputs import fit_normaliser
from raysed.training.network_scores import score_set
from raysed.training.scores import found_events
from raysed.training.scoring import decode_scores, encode_scores, reference_of, statistics_of
from tests.data.recorded_tree import build_shards
from tests.predict.small import CLASSES, FEATURES, MODEL, bursts, call, write
from tests.predict.small import detector as make_detector
from tests.training.tiny import trial

LENGTHS_S = {"a.wav": 2.0, "b.wav": 60.0, "c.wav": 1.3, "d.wav": 2.2, "e.wav": 7.45}
EVENTS = """filename\tonset\toffset\tevent_label
a.wav\t0.5\t1.5\tDog
b.wav\t1.0\t2.0\tDog
b.wav\t40.0\t41.0\tCat
c.wav\t\t\t
d.wav\t0.25\t1.0\tCat
d.wav\t2.05\t2.2\tDog
e.wav\t1.5\t6.5\tCat
"""
OWN = PostProcessing(median_window=3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("long")
    for seed, (name, seconds) in enumerate(LENGTHS_S.items()):
        write(root / "tree/audio/validation" / name, bursts(seconds, seed=seed))
    (root / "tree/metadata/validation").mkdir(parents=True)
    (root / "tree/metadata/validation/validation.tsv").write_text(EVENTS)
    durations = pd.DataFrame({"filename": LENGTHS_S.keys(), "duration": LENGTHS_S.values()})
    durations.to_csv(root / "durations.tsv", sep="\t", index=False)
    return root


def job_of(place: Path, **change) -> DataJob:
    fields = {
        "name": "long",
        "out": str(place / "data"),
        "roots": Roots(recorded=str(place / "tree")),
        "classes": CLASSES,
        "features": FEATURES,
        "mel": "torchaudio",
        "shard_clips": 2,
        "sets": {"validation": RecordedSet(kind="recorded", subset="validation")},
    }
    return DataJob(**fields | change)


@pytest.fixture(scope="module")
def built(place: Path):
    (p,) = plan(job_of(place))
    record(p, build_shards(p, range(len(p.shards))))
    return open_dataset(p.url, place / "cache")


@pytest.fixture(scope="module")
def scored(place: Path, built):
    detector = make_detector(place, postprocessing=OWN)
    tried = trial(model=MODEL, postprocessing=OWN)
    return score_set(detector.network, built, detector.normaliser, tried)


def test_every_recording_is_one_clip_of_its_own_duration(built, scored) -> None:
    reference = reference_of(built)
    assert reference.filenames == tuple(LENGTHS_S)
    np.testing.assert_array_equal(reference.durations_s, list(LENGTHS_S.values()))
    # Of d.wav, which is cut at 2 s, the event at 2.05 s is not scored; of b.wav the one at 40 s is.
    statistics = statistics_of(scored, reference, OWN)
    assert statistics.event.n_ref_NK.tolist() == [[0, 1], [1, 1], [0, 0], [1, 0], [1, 0]]
    assert statistics.durations_s.sum() == pytest.approx(72.95)


def test_the_events_are_those_of_predict(place: Path, scored) -> None:
    out = place / "found.tsv"
    code, said = call(place, place / "tree/audio/validation", out=str(out))
    assert code == 0, said
    predicted = pd.read_csv(out, sep="\t")
    predicted = predicted[predicted["filename"] != "d.wav"]
    names = list(LENGTHS_S)
    events = found_events(scored, (0.5,), 3)[0.5]
    assert len(events) > 100
    found = events.take(np.array([names[n] != "d.wav" for n in events.clip_E]))
    expected = Events.from_frame(predicted, names, CLASSES)
    for field in ("clip_E", "label_E"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))
    for field in ("onset_E", "offset_E"):
        np.testing.assert_allclose(getattr(found, field), getattr(expected, field), atol=1e-6)


def test_score_counts_what_trainings_evaluation_counts(place: Path, built, scored) -> None:
    events = found_events(scored, (0.5,), 3)[0.5]
    events.to_frame(list(LENGTHS_S), CLASSES).to_csv(place / "p.tsv", sep="\t", index=False)
    truth = "".join(line for line in EVENTS.splitlines(keepends=True) if "\t2.05" not in line)
    (place / "truth.tsv").write_text(truth)
    told = score(
        ScoreRequest(place / "p.tsv", place / "truth.tsv", place / "durations.tsv", draws=10)
    )
    statistics = statistics_of(scored, reference_of(built), OWN)
    assert told["event_f1"]["value"] == pytest.approx(float(event_f1(statistics)[0][0]))
    assert {k: v["events"] for k, v in told["per_class"].items()} == {"Cat": 3, "Dog": 2}


def test_training_hears_each_moment_once_with_the_labels_of_its_window(built) -> None:
    rows = built.trained_rows
    assert [built.filenames[n] for n in rows].count("b.wav") == 30
    assert [built.filenames[n] for n in rows].count("e.wav") == 4
    strong_NTK = built.strong_NTK(1)
    frame_s = FEATURES.hop / FEATURES.sample_rate_hz
    on = {"b.wav": [(1.0, 2.0, 1), (40.0, 41.0, 0)], "e.wav": [(1.5, 6.5, 0)]}
    for n in rows:
        time_T = built.start_s(n) + np.arange(FEATURES.n_frames) * frame_s
        for onset, offset, k in on.get(built.filenames[n], ()):
            expected_T = (time_T >= onset - frame_s) & (time_T < offset)
            assert np.mean(strong_NTK[n, :, k] != expected_T) < 0.01
        if built.filenames[n] == "b.wav" and built.start_s(n) not in (0.0, 40.0):
            assert not strong_NTK[n].any()


def test_batches_and_the_normaliser_see_the_trained_windows_alone(built) -> None:
    rows = set(built.trained_rows.tolist())
    data = {"synthetic": "v", "xvalid": ("v",), "evaluation": ("v",)}
    tried = trial(data=data, shares={"synthetic": 4, "unlabelled": 0, "weak": 0}, model=MODEL)
    source = BatchSource(tried, {"v": built}, seed=0)
    assert source.steps_per_epoch == len(rows) // 4
    drawn = [name for batch in source.epoch(0) for name in batch.filenames]
    assert drawn.count("b.wav") <= 30
    small = fit_normaliser([built])
    kept = [n for n in range(len(built)) if n in rows]
    assert len(kept) < len(built) and bool(small.std_F.gt(0).all())


def test_scores_are_stored_and_read_again(scored, built) -> None:
    again = decode_scores(encode_scores(scored), "x.arrow")
    assert again.grid == scored.grid and again.filenames == scored.filenames
    np.testing.assert_array_equal(again.starts, scored.starts)
    for window in (1, 5):
        frames = frames_of(scored, window)
        for threshold, events in found_events(scored, (0.3, 0.5), window).items():
            found = frames.decode(threshold)
            for name, expected in vars(events).items():
                order = np.lexsort((events.label_E, events.onset_E, events.clip_E))
                other = np.lexsort((found.label_E, found.onset_E, found.clip_E))
                np.testing.assert_array_equal(getattr(found, name)[other], expected[order])
    one = scored.of(["e.wav", "a.wav"])
    assert set(one.filenames) == {"e.wav", "a.wav"} and len(one.recordings) == 2
    assert scored.weak_RK.shape == (5, 2)


def test_metrics_over_all_thresholds_are_of_the_same_recordings_and_events(
    tmp_path: Path, place: Path, built, scored
) -> None:
    trial_folder = Folder(str(tmp_path)).child("trials/g-seed0")
    trial_folder.write("scores/validation.dry.arrow", encode_scores(scored))
    reference = reference_of(built)
    statistics = statistics_of(scored, reference, OWN)
    about = {"cell": "g", "table": "1", "training": "g", "xvalid": "dry", "seed": 0}
    result = Result(
        **about, evaluation="validation", statistics=statistics, baselines={}, about=None
    )
    trained = SimpleNamespace(config={"postprocessing": {"median_window": 3}})
    asked: Any = SimpleNamespace(training=lambda id: trained)
    frames = frame_scores(Folder(str(tmp_path)), asked, result)
    for threshold, expected in found_events(scored, (0.3, 0.5), 3).items():
        np.testing.assert_array_equal(
            np.sort(frames.decode(threshold).onset_E), np.sort(expected.onset_E)
        )
    # The key holds recordings, their durations, classes and events, without those that nothing could hear.
    url = plan(job_of(place))[0].url
    assert reference_for(statistics, read_truth(url, "validation"), result).key == reference.key


def test_a_data_set_of_earlier_code_that_cut_is_refused_and_built_again(place: Path, built) -> None:
    job = job_of(place, out=str(place / "old"))
    (p,) = plan(job)
    # As it was before: the beginning alone, under the same name.
    rewrite_as_cut(p)
    with pytest.raises(
        ValueError, match=r"the beginning alone of 2 recordings .* run its job again"
    ):
        open_dataset(p.url, place / "cache2")
    (again,) = plan(job)
    assert len(finished_shards(again)) == 1


def rewrite_as_cut(p) -> None:
    writer = ShardWriter(p.mel, p.features, batch=2, device_id=None)
    entries = []
    for shard in p.shards:
        made = make_clips(p.source, shard)
        first = {clip.filename: clip for clip in reversed(made.clips)}
        clips = tuple(
            replace(clip, source=f'{{"file": "{clip.filename}"}}')
            for clip in reversed(first.values())
        )
        entries.append(writer.write(target(p, shard), replace(made, clips=clips)))
    record(p, entries)


def test_long_weak_clips_are_refused_by_name_before_work_and_by_the_doctor(tmp_path: Path) -> None:
    write(tmp_path / "audio/train/weak/long.wav", bursts(5.0))
    write(tmp_path / "audio/train/weak/good.wav", bursts(2.0))
    (tmp_path / "metadata/train").mkdir(parents=True)
    lines = "filename\tevent_labels\nlong.wav\tDog\ngood.wav\tCat\n"
    (tmp_path / "metadata/train/weak.tsv").write_text(lines)
    job = DataJob(
        name="weak",
        out=str(tmp_path / "out"),
        roots=Roots(recorded=str(tmp_path)),
        classes=CLASSES,
        features=FEATURES,
        sets={"weak": RecordedSet(kind="recorded", subset="weak")},
    )
    with pytest.raises(
        ValueError, match=r"set weak: 1 recordings .*\n  audio/train/weak/long\.wav lasts 5\.0 s"
    ):
        build(job)
    assert not (tmp_path / "out").exists()
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(job.model_dump(mode="json")))
    found = examine(file)
    assert any("long.wav lasts 5.0 s" in problem for problem in found.problems)


def test_the_doctor_tells_of_windows_and_cuts(place: Path) -> None:
    file = place / "job.yaml"
    file.write_text(yaml.safe_dump(job_of(place).model_dump(mode="json")))
    remarks = "\n".join(examine(file).remarks)
    assert "validation: 2 recordings are longer than 2 s, up to 60.0 s" in remarks
    assert "validation: 1 clips are a little longer than 2 s: cut to it" in remarks
