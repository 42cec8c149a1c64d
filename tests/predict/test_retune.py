"""`raysed postprocess` as a whole: stored scores, tuned settings in the checkpoint, events that follow them."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from raysed.cli import entry as cli
from raysed.data.clip import Clip, Event
from raysed.evaluation.postprocessing.operating_points import WantedRate
from raysed.predict.detector import load_detector, read_checkpoint
from raysed.predict.retune import Tuning, comparison_lines, point_trial, retune
from raysed.storage.folder import Folder
from raysed.training.scores import Scores
from raysed.training.scoring import decode_scores, encode_scores
from tests.data.small_sets import write_rows, write_set
from tests.predict.small import FEATURES, bursts, checkpoint, write
from tests.training.tiny import CLASSES

CLIPS = 20
FRAME_S = 4 * FEATURES.hop / FEATURES.sample_rate_hz
FRAMES = FEATURES.n_frames // 4


def data_set(path, firsts_NK):
    """A finished data set whose clip n holds class k for 31 output frames from `firsts_NK[n, k]`."""
    rng = np.random.default_rng(0)
    rows = []
    for n, firsts in enumerate(firsts_NK.tolist()):
        events = tuple(
            Event(first * FRAME_S, (first + 31) * FRAME_S, label)
            for first, label in zip(firsts, CLASSES, strict=True)
        )
        mel_TF = rng.uniform(0, 5, (FEATURES.n_frames, FEATURES.n_mels)).astype(np.float32)
        clip = Clip(f"{n:02d}.wav", np.zeros(16000, np.float32), 2.0, events, CLASSES, "{}")
        rows.append((clip, mel_TF))
    return write_rows(Folder(str(path)), rows, FEATURES, CLASSES)


def stored_scores(firsts_NK):
    """Cat's events score 0.3, Dog's 0.9, the rest noise under 0.2."""
    scores_NUK = np.random.default_rng(1).uniform(0, 0.2, (CLIPS, FRAMES, 2))
    for n, firsts in enumerate(firsts_NK.tolist()):
        for k, first in enumerate(firsts):
            scores_NUK[n, first : first + 31, k] = (0.3, 0.9)[k]
    return Scores(
        tuple(f"{n:02d}.wav" for n in range(CLIPS)),
        np.full(CLIPS, 2.0),
        CLASSES,
        FRAME_S,
        scores_NUK.astype(np.float16),
        np.zeros((CLIPS, 2), np.float16),
    )


@pytest.fixture
def place(tmp_path):
    """A finished trial with its stored scores of x-valid and validation, and the two data sets."""
    trial = Folder(str(tmp_path / "trial"))
    checkpoint(tmp_path / "trial" / "checkpoints", "best-xvalid.pt")
    for seed, name in enumerate(("xvalid", "val")):
        firsts_NK = np.random.default_rng(seed).integers(5, 40, (CLIPS, 2))
        data_set(tmp_path / name, firsts_NK)
        trial.write(f"scores/{name}.xvalid.arrow", encode_scores(stored_scores(firsts_NK)))
    return tmp_path


def tune(place, xvalid="xvalid", evaluate="val", **how):
    said = []
    sets = (str(place / xvalid), str(place / evaluate))
    tuning = Tuning(Folder(str(place / "trial")), *sets, str(place / "cache"), **how)
    path, gains, _ = retune(tuning, said.append)
    return path, {gain.name: gain for gain in gains}, said


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["raysed", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    shown = capsys.readouterr()
    return stopped.value.code, shown.out, shown.err


def test_from_stored_scores_to_events(place, monkeypatch, capsys):
    """What tuning finds goes into the checkpoint, and prediction follows it."""
    sets = ("--xvalid", place / "xvalid", "--evaluate", place / "val")
    code, out, said = command(monkeypatch, capsys, "postprocess", place / "trial", *sets)
    assert code == 0
    assert "not shown" not in said
    lines = [line.split() for line in out.splitlines()]
    percent = {
        " ".join(words[: words.index("event")]): words for words in lines if "event" in words
    }
    assert "50.0" in percent["the trial's own"] and "gain" not in percent["the trial's own"]
    for honest in ("tuned on x-valid", "cross-fitted"):
        assert "100.0" in percent[honest] and "+50.0" in percent[honest]
    assert "gain" not in percent["fitted to these clips"]

    tuned = place / "trial" / "checkpoints" / "tuned-xvalid.pt"
    settings = read_checkpoint(str(tuned)).settings
    assert 0.2 <= settings.threshold[0] < 0.3 and settings.threshold[1] == 0.5
    audio = write(place / "audio" / "a.wav", bursts(7.0))
    predicted = {}
    for path in (tuned, tuned.with_name("best-xvalid.pt")):
        code, out, _ = command(monkeypatch, capsys, "predict", path, audio, "--format", "json")
        assert code == 0
        predicted[path.name] = json.loads(out)
    assert predicted["tuned-xvalid.pt"]["postprocessing"] == settings.as_json()
    text = json.dumps(settings.as_json())
    (place / "settings.json").write_text(text)
    code, out, _ = command(
        monkeypatch, capsys, "predict", tuned.with_name("best-xvalid.pt"), audio,
        "--postprocessing", place / "settings.json", "--format", "json",
    )  # fmt: skip
    events = {name: content["files"][0]["events"] for name, content in predicted.items()}
    assert json.loads(out)["files"][0]["events"] == events["tuned-xvalid.pt"]
    assert events["tuned-xvalid.pt"] != events["best-xvalid.pt"]


def test_a_script_reads_the_comparison(place, monkeypatch, capsys):
    sets = ("--xvalid", place / "xvalid", "--evaluate", place / "val")
    code, out, _ = command(monkeypatch, capsys, "postprocess", place / "trial", *sets, "--json")
    found = json.loads(out)
    assert code == 0
    settings = read_checkpoint(found["checkpoint"]).settings
    assert settings.as_json() == {
        key: found[key] for key in ("method", "threshold", "median_window")
    }
    own, tuned, crossed, fitted = found["systems"]
    assert (own["event_f1"], tuned["event_f1"]) == (0.5, 1.0)
    assert own["per_class"] == {"Cat": 0.0, "Dog": 1.0} and own["gain"] is fitted["gain"] is None
    assert tuned["gain"]["difference"] == 0.5 and tuned["gain"]["low"] > 0
    assert crossed["name"] == "cross-fitted" and crossed["gain"]["high"] <= 1


def test_the_gain_is_cross_fitted_and_kept_with_the_settings(place):
    path, gains, said = tune(place)
    assert said == []
    folder, _, name = path.rpartition("/")
    _, about = load_about(folder, name)
    tuned = about["postprocessing"]["tuned"]
    assert tuned["tuned_on"]["name"] == "xvalid" and tuned["judged_on"]["name"] == "val"
    assert tuned["event_f1"]["cross-fitted"] == gains["cross-fitted"].f1 == 1.0
    assert tuned["gain"]["cross-fitted"]["low"] > 0
    assert set(tuned["gain"]) == {"tuned on x-valid", "cross-fitted"}
    assert any(
        "not a result" in line for line in comparison_lines(list(gains.values()), settings_of(path))
    )


def test_a_run_with_groups_draws_these(place, monkeypatch):
    _, by_clip, _ = tune(place)
    run = place / "run"
    (run / "trials").mkdir(parents=True)
    (place / "trial").rename(run / "trials/t-seed0")
    rows = "".join(f"{n:02d}.wav\t{'first' if n < 10 else 'second'}\n" for n in range(CLIPS))
    (run / "groups.tsv").write_text(f"filename\tgroup\n{rows}")
    plan = SimpleNamespace(groups="mine.tsv")
    monkeypatch.setattr("raysed.predict.trial_groups.RunPlan.read", lambda run: plan)
    said: list[str] = []
    sets = (str(place / "xvalid"), str(place / "val"), str(place / "cache"))
    _, gains, _ = retune(Tuning(Folder(str(run / "trials/t-seed0")), *sets), said.append)
    by_name = {gain.name: gain for gain in gains}
    by_group, before = by_name["cross-fitted"], by_clip["cross-fitted"]
    for name in ("the trial's own", "tuned on x-valid"):
        assert by_name[name].value == by_clip[name].value
    # Of two groups, which are exchanged together, no test says much.
    assert by_group.gain.p >= 0.25 > before.gain.p
    assert any("intervals draw 2 groups of 20 clips" in line for line in said)


def load_about(folder, name):
    from raysed.training.checkpoint import load_checkpoint

    return load_checkpoint(Folder(folder), name)


def settings_of(path):
    return read_checkpoint(path).settings


def test_the_networks_are_the_trials(place):
    """Tuning changes the settings alone."""
    path, _, _ = tune(place)
    tuned, best = load_detector(path), load_detector(path.replace("tuned-", "best-"))
    mel = best.mel(bursts(2.0))
    np.testing.assert_array_equal(tuned.scores([mel]), best.scores([mel]))


def test_scores_that_are_not_stored_are_made_once(place):
    stored = place / "trial" / "scores" / "xvalid.xvalid.arrow"
    stored.unlink()
    _, first, said = tune(place)
    assert said == ["scores/xvalid.xvalid.arrow: not stored, scoring 20 clips"]
    scores = decode_scores(stored.read_bytes(), str(stored))
    assert scores.filenames[0] == "00.wav" and scores.scores_NUK.shape == (CLIPS, FRAMES, 2)
    _, second, said = tune(place)
    assert said == [] and second["tuned on x-valid"].f1 == first["tuned on x-valid"].f1


def test_what_does_not_fit_is_refused(place):
    write_set(place / "other")
    with pytest.raises(ValueError, match="other: other classes or features than"):
        tune(place, evaluate="other")
    with pytest.raises(ValueError, match=r"best-val\.pt: no such checkpoint"):
        tune(place, xvalid="val")
    scores = stored_scores(np.zeros((CLIPS, 2), int))
    renamed = Scores(
        tuple(f"x{name}" for name in scores.filenames),
        *(scores.durations_s, CLASSES, FRAME_S, scores.scores_NUK, scores.weak_NK),
    )
    Folder(str(place / "trial")).write("scores/val.xvalid.arrow", encode_scores(renamed))
    with pytest.raises(ValueError, match="of other clips than data set val"):
        tune(place)
    assert not (place / "trial" / "checkpoints" / "tuned-xvalid.pt").exists()


def test_a_checkpoint_is_parsed_once(place, monkeypatch, capsys):
    from raysed.predict import detector
    from raysed.training import checkpoint as module

    parsed, parse = [], module.parse_checkpoint

    def counted(content, path):
        parsed.append(path)
        return parse(content, path)

    for where in (module, detector):
        monkeypatch.setattr(where, "parse_checkpoint", counted)
    sets = ("--xvalid", place / "xvalid", "--evaluate", place / "val")
    code, _, _ = command(monkeypatch, capsys, "postprocess", place / "trial", *sets)
    assert code == 0
    assert parsed == [f"{place}/trial/checkpoints/best-xvalid.pt"]


@pytest.mark.parametrize("method", ["hysteresis", "boxes"])
@pytest.mark.parametrize("goal", ["event_f1", "psds1"])
def test_other_methods_are_tuned_kept_and_predicted_with(place, monkeypatch, capsys, method, goal):
    path, gains, _ = tune(place, method=method, goal=goal)
    assert gains["tuned on x-valid"].f1 > gains["the trial's own"].f1 + 0.3
    settings = settings_of(path)
    assert settings.method == method and settings.threshold[0] < 0.3
    audio = write(place / "audio" / "a.wav", bursts(7.0))
    out = place / "found.tsv"
    code, _, said = command(monkeypatch, capsys, "predict", path, audio, "--out", out)
    assert code == 0 and f"post-processing: {method}, threshold" in said
    head = out.read_text().splitlines()[0].split("\t")
    assert head[4:] == (["confidence"] if method == "boxes" else [])
    code, text, _ = command(monkeypatch, capsys, "predict", path, audio, "--format", "json")
    found = json.loads(text)
    assert found["postprocessing"] == settings.as_json()
    for event in found["files"][0]["events"]:
        assert ("confidence" in event) == (method == "boxes")


def test_all_methods_in_one_table(place, monkeypatch, capsys):
    sets = ("--xvalid", place / "xvalid", "--evaluate", place / "val")
    code, out, _ = command(
        monkeypatch,
        capsys,
        "postprocess",
        place / "trial",
        *sets,
        "--compare",
        "--tune-for",
        "psds1",
    )
    assert code == 0
    rows = [line.split("|")[1].strip() for line in out.splitlines() if line.startswith("| ")]
    assert rows[1:] == [
        "raw scores",
        "median filter, as trained",
        *("class-wise median",) * 2,
        *("hysteresis",) * 2,
        *("bounding boxes",) * 2,
    ]
    assert not (place / "trial" / "checkpoints" / "tuned-xvalid.pt").exists()
    code, out, _ = command(
        monkeypatch, capsys, "postprocess", place / "trial", *sets, "--compare", "--json"
    )
    found = json.loads(out)
    boxes = found["columns"][-2]
    assert (boxes["method"], boxes["how"]) == ("boxes", "tuned on x-valid")
    assert set(boxes["chosen"]["Cat"]) == {"threshold", "step_filter_s", "merge_abs", "merge_rel"}
    assert boxes["metrics"]["event_f1"]["gain"]["low"] > 0


def test_operating_points_of_a_trial_are_what_the_checkpoint_then_does(place):
    sets = (str(place / "xvalid"), str(place / "val"))
    tuning = Tuning(Folder(str(place / "trial")), *sets, str(place / "cache"))
    path, tuned, crossed = point_trial(tuning, WantedRate("recall", 0.9), lambda line: None)
    # Cat's events score 0.3 and Dog's 0.9: the highest thresholds that find them all.
    assert [point.threshold for point in tuned] == [0.3, 0.9]
    assert all(point.recall.value == 1.0 for point in (*tuned, *crossed))
    detector = load_detector(path)
    assert detector.settings.threshold == (0.3, 0.9)
    about = read_checkpoint(path).about["postprocessing"]["tuned"]
    assert about["tuned_for"] == {"rate": "recall", "value": 0.9}
    assert (about["tuned_on"]["name"], about["judged_on"]["name"]) == ("xvalid", "val")
