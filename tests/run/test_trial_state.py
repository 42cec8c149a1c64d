"""How far a trial is, in one vocabulary."""

from raysed.run.folders import TrialFolder
from raysed.run.trial_state import DIED, Standing, failure_lines, standing_of, state_of
from raysed.storage.folder import Folder


def test_states_follow_the_files(tmp_path):
    trial = TrialFolder(Folder(str(tmp_path)))
    seen = [(state_of(trial), standing_of(trial, "t", 9).note)]
    steps = (
        lambda: trial.write_epochs([{"epoch": 0}, {"epoch": 1}]),
        lambda: trial.note_failure(DIED),
        lambda: trial.note_stopped(2),
        lambda: trial.write_result({}),
    )
    for step in steps:
        step()
        seen.append((state_of(trial), standing_of(trial, "t", 9).note))
    assert seen == [
        ("not started", ""),
        ("unfinished", "epoch 2/9"),
        ("failed", DIED),
        ("stopped", "epoch 2/9"),
        ("finished", ""),
    ]


def test_a_table_says_it_in_a_word_or_two():
    assert Standing("t", "unfinished", "epoch 12/200", 12).brief == "epoch 12"
    assert Standing("t", "not started").brief == "-"
    assert Standing("t", "failed", "why").brief == "failed"


def test_a_failed_trial_shows_its_reason_and_the_last_lines(tmp_path):
    trial = TrialFolder(Folder(str(tmp_path)))
    assert failure_lines(trial, "a seed 0") == [
        f"failed: a seed 0 ({tmp_path}): see above; its folder says nothing"
    ]
    trial.note_failure("OSError: No space left", traceback="Traceback:\n  in save\nOSError")
    lines = failure_lines(trial, "a seed 0")
    assert lines[0] == f"failed: a seed 0 ({tmp_path}): OSError: No space left"
    assert lines[1:] == [
        "  traceback | Traceback:",
        "  traceback |   in save",
        "  traceback | OSError",
    ]
    trial.folder.write("log.txt", "".join(f"line {n}\n" for n in range(20)).encode())
    assert failure_lines(trial, "")[1:] == [f"  log.txt | line {n}" for n in range(12, 20)]
