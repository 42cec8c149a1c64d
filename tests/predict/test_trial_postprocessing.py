"""The cells of one training: their counts are those of the searches, stored once, with what was chosen."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raysed.config.cell_postprocessing import CellPostProcessing
from raysed.config.trial import PostProcessing
from raysed.data.features.store import open_dataset
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.postprocessing.comparison import CROSS_FITTED, ON_XVALID, compare_methods
from raysed.evaluation.postprocessing.methods import METHODS
from raysed.evaluation.postprocessing.setting_search import SettingSearch, cross_fit
from raysed.predict.detector import load_detector
from raysed.predict.prediction_run import read_settings
from raysed.predict.trial_postprocessing import WantedColumn, missing_columns, postprocess_trial
from raysed.predict.tuning import judged_set, own_settings
from raysed.run.postprocessing_record import PostProcessingRecord
from raysed.storage.folder import Folder
from raysed.training.scoring import decode_scores, reference_of
from tests.predict.test_retune import place  # noqa: F401 - a fixture

OWN = PostProcessing(threshold=0.5, median_window=7)
ASKED = {
    "raw": CellPostProcessing(method="raw"),
    "class": CellPostProcessing(method="class_median"),
    "crossed": CellPostProcessing(method="class_median", tuned_on="evaluation"),
    "boxes": CellPostProcessing(method="boxes", tuned_for="psds1"),
}
WANTED = [WantedColumn.of("xvalid", "val", asked) for asked in ASKED.values()]


@pytest.fixture
def done(place):  # noqa: F811
    sets = {
        name: open_dataset(str(place / name), str(place / "cache")) for name in ("val", "xvalid")
    }
    trial, said = Folder(str(place / "trial")), []
    assert missing_columns(trial, [*WANTED, *WANTED]) == sorted(WANTED)
    postprocess_trial(trial, OWN, WANTED, sets, said.append)
    assert said == [] and missing_columns(trial, WANTED) == []
    return trial, sets


def counts(trial, name):
    content = trial.read(f"statistics/val.xvalid.{name}.npz")
    assert content is not None
    return Statistics.load(io.BytesIO(content))


def test_they_are_the_columns_of_the_comparison(done):
    trial, sets = done
    xvalid, judged = (
        judged_set(
            decode_scores(trial.read(f"scores/{name}.xvalid.arrow"), name), reference_of(sets[name])
        )
        for name in ("xvalid", "val")
    )
    columns = compare_methods(
        xvalid, judged, own_settings(OWN), "event_f1", methods=("class_median",), draws=100
    )
    by_how = {column.how: column for column in columns}
    for how, asked in ((ON_XVALID, "class"), (CROSS_FITTED, "crossed")):
        found = float(event_f1(counts(trial, ASKED[asked].name))[0][0])
        assert found == by_how[how].values["event_f1"].value
    claimed = float(event_f1(counts(trial, f"{ASKED['crossed'].name}-fitted"))[0][0])
    crossed = by_how[CROSS_FITTED].values["event_f1"]
    assert claimed - crossed.value == pytest.approx(crossed.optimism)
    # Cat's events score 0.3: the training's own threshold misses them all.
    assert event_f1(counts(trial, "raw"))[1][0, 0] == 0.0
    assert event_f1(counts(trial, ASKED["class"].name))[1][0, 0] > 0.9


def test_the_record_is_what_prediction_reads(done):
    trial, _ = done
    record = PostProcessingRecord.read(trial, "val", "xvalid", ASKED["boxes"].name)
    assert record is not None and record.tuned_on == "xvalid"
    assert sorted(record.scores) == ["scores/val.xvalid.arrow", "scores/xvalid.xvalid.arrow"]
    path = f"{trial.url}/postprocessing/val.xvalid.{ASKED['boxes'].name}.json"
    detector = load_detector(f"{trial.url}/checkpoints/best-xvalid.pt")
    settings = read_settings(path, detector.settings)
    assert settings.method == "boxes" and settings.as_json().items() <= stored(path).items()
    raw = PostProcessingRecord.read(trial, "val", "xvalid", "raw")
    assert raw is not None and raw.tuned_on == ""
    windows = stored(f"{trial.url}/postprocessing/val.xvalid.raw.json")["median_window"]
    assert windows == {"Cat": 1, "Dog": 1}


def stored(path):
    return json.loads(Path(path).read_text())


def test_other_scores_are_counted_again(done):
    trial, _ = done
    scores = trial.read("scores/xvalid.xvalid.arrow")
    trial.write("scores/val.xvalid.arrow", scores)
    assert missing_columns(trial, WANTED) == sorted(WANTED)


def test_classes_that_x_valid_does_not_annotate(done, monkeypatch):
    trial, sets = done
    xvalid = sets["xvalid"]
    monkeypatch.setattr(
        "raysed.predict.trial_postprocessing.reference_of",
        lambda used: _without_cat(used) if used is xvalid else reference_of(used),
    )
    with pytest.raises(
        ValueError, match=r"x-valid set does not annotate Cat.*tuned_on: evaluation"
    ):
        postprocess_trial(trial, OWN, WANTED[1:2], sets, print)


def _without_cat(used):
    whole = reference_of(used)
    kept = whole.events.label_E == 1
    events = whole.events.take(kept)
    return type(whole)(
        whole.filenames,
        whole.durations_s,
        ("Other", "Dog"),
        type(events).sort(events.clip_E, np.ones(kept.sum(), int), events.onset_E, events.offset_E),
    )


def test_what_is_cross_fitted_is_counted_again_for_other_groups(done, monkeypatch):
    """Its folds keep the clips of a group together; what is tuned on x-valid has none."""
    trial, sets = done
    crossed = WANTED[2]
    before, module = counts(trial, ASKED["crossed"].name), "raysed.predict.trial_postprocessing"
    n_clips = before.n_clips
    monkeypatch.setattr(f"{module}.groups_hash", lambda trial: "of other groups")
    monkeypatch.setattr(
        f"{module}.with_groups_of_run",
        lambda trial, reference, say: replace(reference, groups_N=np.arange(n_clips) // 2),
    )
    assert missing_columns(trial, WANTED) == [crossed]
    postprocess_trial(trial, OWN, [crossed], sets, print)
    assert missing_columns(trial, WANTED) == []
    grouped = replace(reference_of(sets["val"]), groups_N=np.arange(n_clips) // 2)
    scores = decode_scores(trial.read("scores/val.xvalid.arrow"), "val")
    search = SettingSearch.of(
        METHODS["class_median"], *judged_set(scores, grouped), own_settings(OWN)
    )
    expected = search.statistics(cross_fit(search, "event_f1"))
    found = counts(trial, ASKED["crossed"].name)
    assert np.array_equal(found.event.tp_NK, expected.event.tp_NK)
    assert np.array_equal(found.event.n_sys_NK, expected.event.n_sys_NK)
