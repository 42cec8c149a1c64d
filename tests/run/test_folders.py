"""A trial's folder: names, and readers that name what is damaged."""

import pytest

from raysed.run.folders import TrialFolder, scores_file, statistics_file, trial_name
from raysed.storage.folder import Folder

RESULT = {
    "selected": {"dry": {"epoch": 3, "xvalid_f1": 0.5, "score": 0.5}},
    "epochs": 4,
    "train_seconds": 9.0,
    "loss_first": 2.0,
    "loss_last": 1.0,
}


@pytest.fixture
def trial(tmp_path):
    return TrialFolder.of(Folder(str(tmp_path)), "0a1b", 2)


def test_names_are_those_of_runs_made_before(trial, tmp_path):
    assert trial_name("0a1b", 2) == "0a1b-seed2"
    assert trial.url == f"{tmp_path}/trials/0a1b-seed2"
    assert trial.tensorboard == f"{trial.url}/tensorboard"
    assert scores_file("val", "dry") == "scores/val.dry.arrow"
    assert scores_file("val", "dry", "teacher") == "scores/val.dry.teacher.arrow"
    assert statistics_file("val", "dry", "always_on") == "statistics/val.dry.always_on.npz"


def test_nothing_is_there_before_it_is_written(trial, tmp_path):
    assert (trial.begun, trial.finished, trial.stopped) == (False, False, False)
    assert trial.config() is trial.result() is trial.failure() is None
    assert (trial.epochs(), trial.log()) == ([], "")
    assert not (tmp_path / "trials").exists()


def test_what_is_written_is_read(trial):
    trial.write_config({"seed": 2})
    epochs = [{"epoch": 0, "loss": 0.5}, {"epoch": 1, "loss": float("nan")}]
    trial.write_epochs(epochs)
    trial.note_failure("OSError: full", traceback="Traceback")
    trial.write_result(RESULT)
    assert trial.config() == {"seed": 2} and trial.begun and trial.finished
    assert [each["epoch"] for each in trial.epochs()] == [0, 1]
    assert (trial.failure().reason, trial.failure().traceback) == ("OSError: full", "Traceback")
    found = trial.result()
    assert (found.selected["dry"].epoch, found.train_seconds, found.world) == (3, 9.0, 1)
    assert trial.result_as_json() == RESULT


@pytest.mark.parametrize(
    ("name", "content", "read", "message"),
    [
        ("result.json", "{}", TrialFolder.result, r"result\.json: selected: missing"),
        ("result.json", "[1]", TrialFolder.result, r"result\.json"),
        ("result.json", "{", TrialFolder.result, r"result\.json: not JSON"),
        ("failed.json", '{"reason": 3}', TrialFolder.failure, r"failed\.json: reason: .*given 3"),
        ("config.json", "[]", TrialFolder.config, r"config\.json: expected a JSON object"),
        ("progress.jsonl", '{"epoch": 0}\n7\n', TrialFolder.epochs, r"jsonl, line 2: expected an"),
        ("progress.jsonl", '{"epoch": "0"}', TrialFolder.epochs, r"jsonl, line 1: expected an"),
        ("progress.jsonl", '{"epo', TrialFolder.epochs, r"jsonl, line 1: not JSON"),
    ],
)
def test_what_is_damaged_is_named(trial, name, content, read, message):
    trial.folder.write(name, content.encode())
    with pytest.raises(ValueError, match=message) as caught:
        read(trial)
    assert trial.url in str(caught.value)
