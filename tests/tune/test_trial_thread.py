"""Trials as threads of one process: each gives bitwise what it gives alone, whatever becomes of the others."""

import sys
import threading

import pytest

from raysed.config.network_class import OwnNetwork
from raysed.config.trial import Model, Optimiser, Schedule
from raysed.run.folders import LAST, TrialFolder
from raysed.storage.folder import Folder
from raysed.training.checkpoint import load_checkpoint
from raysed.training.train import train
from raysed.training.trainer import DivergedError
from raysed.tune.trial_thread import TrialThread, UnwantedError
from tests.training.tiny import sets, trial
from tests.tune.runs import assert_same_tensors, epochs_of

OWN = Model(filters=(4,), pooling=((4, 1),), own=OwnNetwork(python="tests.model.own_nets:Dropped"))
TRIALS = {
    "one": (trial(), 0),
    "bfloat16": (trial(precision="bfloat16"), 0),
    "a network of one's own": (trial(model=OWN), 0),
    "max pooling": (trial(model=trial().model.model_copy(update={"pool": "max"})), 0),
    "longer": (trial(schedule=Schedule(epochs=5, ramp_epochs=2)), 3),
}
BROKEN = trial(optimiser=Optimiser(learning_rate=1e30, ramp=False))


@pytest.fixture
def restless():
    """Threads that take turns far more often than they do by themselves."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def training(config, seed, data, out):
    def work(report, each_step):
        folder = Folder(str(out))
        train(config, data, folder, seed=seed, report=report, each_step=each_step)

    return work


def reports_of(trial_thread):
    found = []
    while (metrics := trial_thread.next()) is not None:
        found.append(metrics)
    return found


def all_at_once(trial_threads):
    """What becomes of each trial, by its name: its reports, or what it raised."""
    found = {}

    def take(name):
        try:
            found[name] = reports_of(trial_threads[name])
        except Exception as error:
            found[name] = error

    takers = [threading.Thread(target=take, args=(name,)) for name in trial_threads]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    return found


def test_trials_at_once_give_what_each_gives_alone_and_a_broken_one_breaks_no_other(
    tmp_path, restless
):
    data = sets()
    given = {**TRIALS, "broken": (BROKEN, 0)}
    works = {name: training(*each, data, tmp_path / name) for name, each in given.items()}
    found = all_at_once(
        {name: TrialThread(name, work, lambda: True) for name, work in works.items()}
    )
    assert isinstance(found["broken"], DivergedError)
    for name, (config, seed) in TRIALS.items():
        alone = tmp_path / f"{name}, alone"
        lines = []
        train(config, data, Folder(str(alone)), seed=seed, report=lines.append)
        for metrics, own in zip(found[name], lines, strict=True):
            for key in ("loss", "weak", "strong", "consistency_strong", "xvalid_f1"):
                assert metrics[key] == own[key], (name, key)
        assert_same_tensors(tmp_path / name, alone, LAST)
        for file in ("validation.dry.arrow", "validation.dry.teacher.arrow"):
            scores = [folder / "scores" / file for folder in (tmp_path / name, alone)]
            if scores[1].exists():
                assert scores[0].read_bytes() == scores[1].read_bytes(), name
        assert len(epochs_of(tmp_path / name)) == config.schedule.epochs


def test_a_trial_goes_on_only_when_it_is_asked(tmp_path):
    going = threading.Event()

    def work(report, each_step):
        report({"epoch": 0})
        going.set()
        report({"epoch": 1})

    trial_thread = TrialThread("t", work, lambda: True)
    assert trial_thread.next() == {"epoch": 0}
    assert not going.wait(0.05)
    assert trial_thread.next() == {"epoch": 1} and trial_thread.next() is None


def test_what_it_raises_is_raised_where_it_is_asked():
    def work(report, each_step):
        raise ValueError("no such class")

    with pytest.raises(ValueError, match="no such class"):
        TrialThread("t", work, lambda: True).next()


@pytest.mark.parametrize("at", ["step", "report"])
def test_a_trial_that_nobody_wants_ends_and_its_checkpoint_is_whole(tmp_path, at, monkeypatch):
    monkeypatch.setattr("raysed.tune.trial_thread._LOOK_S", 0.01)
    left = threading.Event()

    def work(report, each_step):
        def step():
            if at == "step" and epochs_of(tmp_path):
                left.set()
            each_step()

        def told(metrics):
            report(metrics)
            if at == "report":
                pytest.fail("it went on")

        folder = Folder(str(tmp_path))
        train(trial(), sets(), folder, seed=0, report=told, each_step=step)

    trial_thread = TrialThread("t", work, lambda: not left.is_set())
    assert trial_thread.next()
    if at == "report":
        left.set()
    else:
        with pytest.raises(UnwantedError, match="has ended"):
            reports_of(trial_thread)
    trial_thread.thread.join(60)
    assert not trial_thread.thread.is_alive()
    _, about = load_checkpoint(Folder(str(tmp_path)), LAST)
    assert about["epoch"] == 1 and TrialFolder(Folder(str(tmp_path))).finished is False
