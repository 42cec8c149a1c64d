"""log.txt: lines that are added, never lost, and never in the way of the error itself."""

import re

import pytest

from raysed.run.folders import LOG as NAME
from raysed.storage.folder import Folder
from raysed.training.log import TrialLog, epoch_line, start_lines
from tests.training.tiny import sets, trial

TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d  ")


def lines_of(folder: Folder) -> list[str]:
    """The lines of a log without their times, which all of them have."""
    content = folder.read(NAME)
    assert content is not None
    lines = content.decode().splitlines()
    assert all(TIME.match(line) for line in lines), lines
    return [TIME.sub("", line) for line in lines]


def test_a_later_log_goes_on_where_the_first_ended(tmp_path):
    folder = Folder(str(tmp_path))
    first = TrialLog(folder)
    first.say("one", "two")
    first.say("three")
    before = folder.read(NAME)
    TrialLog(folder).say("four")
    assert lines_of(folder) == ["one", "two", "three", "four"]
    assert folder.read(NAME).startswith(before)


def test_a_log_that_is_no_text_any_more_does_not_stop_the_trial(tmp_path):
    (tmp_path / NAME).write_bytes(b"caf\xe9\n")
    TrialLog(Folder(str(tmp_path))).say("goes on")
    assert (tmp_path / NAME).read_text().endswith("goes on\n")


def test_other_ranks_write_nothing(tmp_path):
    with pytest.raises(KeyError), TrialLog(None) as log:
        log.say("one")
        raise KeyError("x")
    assert list(tmp_path.iterdir()) == []


def test_what_ends_it_early_is_the_last_line(tmp_path):
    folder = Folder(str(tmp_path))
    with pytest.raises(ValueError, match="loss"), TrialLog(folder) as log:
        log.say("started")
        raise ValueError("the loss\nis lost")
    lines = lines_of(folder)
    assert lines[:2] == ["started", "Traceback (most recent call last):"]
    assert lines[-2:] == ["ValueError: the loss", "is lost"]


def test_an_end_in_order_adds_nothing(tmp_path):
    folder = Folder(str(tmp_path))
    with TrialLog(folder) as log:
        log.say("all")
    assert lines_of(folder) == ["all"]


def test_a_full_disk_hides_no_error(tmp_path, monkeypatch):
    def full(self, name, content):
        raise OSError("No space left")

    log = TrialLog(Folder(str(tmp_path)))
    monkeypatch.setattr(Folder, "write", full)
    with pytest.raises(ValueError, match="the first") as raised, log:
        raise ValueError("the first")
    assert raised.value.__notes__ == ["log.txt could not be written: No space left"]


def test_the_first_lines_tell_roles_and_sizes():
    lines = start_lines(trial(), sets(), "cpu", 2)
    assert "CPU, threads " in lines[0] and lines[0].endswith(", ranks 2")
    assert lines[2] == "precision auto, convolution blocks fused"
    assert lines[3:] == [
        "synthetic: synthetic (synthetic-id), 9 clips",
        "unlabelled: unlabelled (unlabelled-id), 13 clips",
        "weak: weak (weak-id), 8 clips",
        "scored: dry (dry-id), 5 clips",
        "scored: plain (plain-id), 4 clips",
        "scored: validation (validation-id), 6 clips",
    ]


def test_the_line_of_an_epoch():
    metrics = {
        "epoch": 4,
        "loss": 0.12345,
        "xvalid_f1": {"dry": 0.25, "plain": 0.5},
        "clips_per_s": 99.6,
        "train_s": 10.04,
        "xvalid_s": 2.0,
    }
    line = epoch_line(metrics, 10, {"dry": {"epoch": 4}, "plain": {"epoch": 3}})
    assert line == (
        "epoch 5/10: loss 0.1235, x-valid F1 dry 0.250 (new best), plain 0.500; 100 clips/s, 12.0 s"
    )
