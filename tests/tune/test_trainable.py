"""How a trial's attempt ends in its process: noted in its folder, reported to Tune or raised for another try."""

import os

import pytest
from ray.exceptions import RayTaskError

from raysed.run.folders import TrialFolder
from raysed.run.trial_state import DIED
from raysed.storage.folder import Folder
from raysed.training.ranks import Ranks
from raysed.training.trainer import DivergedError
from raysed.tune import trainable
from raysed.tune.trainable import _meeting_point, run_trial


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """Runs an attempt whose training raises this; returns what Tune was told."""
    own = TrialFolder(Folder(str(tmp_path / "trial")))

    def run(error=None, during=lambda: None, hosts=None):
        reports = []
        run.on_card = False

        def on_card(job, report):
            run.on_card = True
            train(job, Ranks(), "", report)

        def train(job, ranks, address, report):
            during()
            assert (ranks, address) == (Ranks(), "")
            if error is not None:
                raise error
            report({"epoch": 0})

        monkeypatch.setattr(trainable, "train_rank", train)
        monkeypatch.setattr(trainable, "train_on_card", on_card)
        monkeypatch.setattr(trainable.tune, "report", reports.append)
        try:
            run_trial({"job": {"out": own.url, "workers": 1, "hosts": hosts}})
        finally:
            run.reports = reports
        return reports

    return own, run


def test_a_trial_that_goes_well_notes_nothing(attempt):
    own, run = attempt
    assert run() == [{"epoch": 0}]
    assert own.failure() is None


@pytest.mark.parametrize("error", [ValueError("no such class"), DivergedError("loss is nan")])
def test_a_fault_of_its_own_is_reported_and_not_tried_again(attempt, error):
    own, run = attempt
    reason = f"{type(error).__name__}: {error}"
    assert run(error) == [{"failed": reason}]
    failure = own.failure()
    assert failure is not None and failure.reason == reason
    assert failure.traceback.rstrip().endswith(str(error)) and failure.own


def test_the_fault_of_another_rank_counts_as_its_own(attempt):
    own, run = attempt
    error = RayTaskError("run", "remote traceback", DivergedError("loss is nan"))
    assert run(error) == [{"failed": "DivergedError: loss is nan"}]
    failure = own.failure()
    assert failure is not None and failure.reason == "DivergedError: loss is nan"


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RuntimeError("CUDA error")])
def test_what_another_process_may_mend_is_noted_and_left_to_tune(attempt, error):
    own, run = attempt
    with pytest.raises(type(error)):
        run(error)
    assert run.reports == []
    failure = own.failure()
    assert failure is not None and failure.reason == f"{type(error).__name__}: {error}"
    assert not failure.own


def test_memory_that_ran_out_says_what_to_do(attempt):
    own, run = attempt
    with pytest.raises(MemoryError):
        run(MemoryError("Unable to allocate 3 GiB"))
    failure = own.failure()
    assert failure is not None
    assert failure.reason.startswith(
        "MemoryError: Unable to allocate 3 GiB. Memory ran out; let fewer"
    )
    assert "shares" in failure.reason


def test_the_reason_of_an_earlier_attempt_does_not_stand_for_this_one(attempt):
    own, run = attempt
    own.note_failure("OSError: full")
    seen = []
    run(during=lambda: seen.append(own.failure()))
    # Were the process killed now, this is what its folder would say.
    assert seen[0].reason == DIED
    assert '"before": "OSError: full"' in (own.folder.read("failed.json") or b"").decode()


def test_a_trial_after_a_failure_shares_no_process(attempt):
    own, run = attempt
    assert run(hosts="cards") == [{"epoch": 0}] and run.on_card
    with pytest.raises(OSError, match="lost"):
        run(OSError("lost"), hosts="cards")
    assert run.on_card and own.failure() is not None
    assert run(hosts="cards") == [{"epoch": 0}] and not run.on_card


def test_a_full_disk_hides_no_error(attempt, monkeypatch):
    own, run = attempt

    def full(self, name, content):
        raise OSError(28, "No space left")

    monkeypatch.setattr(Folder, "write", full)
    assert run(ValueError("first")) == [{"failed": "ValueError: first"}]
    assert own.failure() is None


def test_ranks_of_one_machine_meet_without_listening_on_other_interfaces(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "")  # to be put back
    monkeypatch.delenv("GLOO_SOCKET_IFNAME")
    with _meeting_point("127.0.0.1") as address:
        assert address.startswith(f"file://{tmp_path}/raysed-ranks-")
        assert os.environ["GLOO_SOCKET_IFNAME"] == "lo"
        (place,) = tmp_path.iterdir()
        assert place.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []
