"""The energy of a trial over epochs, ranks and attempts; what is not measured stays so."""

import json
import math

import pytest

from raysed.storage.folder import Folder
from raysed.training import energy_meter
from raysed.training.checkpoint import load_checkpoint, save_checkpoint
from raysed.training.energy_meter import EnergyMeter, TrialEnergy
from raysed.training.ranks import ALONE
from raysed.training.train import train
from raysed.training.trainer import LAST
from tests.training.tiny import sets, trial

KWH = 3.6e6


class Counted:
    def __init__(self, joules, kind="cpu"):
        self.kind, self.joules = kind, iter(joules)

    def since_last(self):
        joules = next(self.joules)
        if joules is None:
            raise OSError("gone")
        return joules


def trial_energy(monkeypatch, *counters, device="cpu"):
    monkeypatch.setattr(energy_meter, "open_counters", lambda device: ([*counters], {}))
    return TrialEnergy(device)


def test_what_is_taken_is_taken_once():
    meter = EnergyMeter([Counted([1.0, 2.0, 4.0, 8.0])])
    meter.read()
    first, second = meter.taken(), meter.taken()
    assert (first["cpu"], second["cpu"]) == (3.0, 4.0)
    assert math.isnan(first["gpu"])


def test_a_counter_that_fails_has_measured_nothing():
    meter = EnergyMeter([Counted([1.0, None]), Counted([5.0, 6.0, 7.0], "gpu")])
    meter.read()
    taken = meter.taken()
    assert math.isnan(taken["cpu"]) and taken["gpu"] == 11.0
    assert math.isnan(meter.taken()["cpu"]) and meter.failed == {"cpu": "OSError: gone"}


def test_the_line_says_which_counter_failed_on_the_way(monkeypatch):
    energy = trial_energy(monkeypatch, Counted([1.0, None]), Counted([5.0, 6.0], "gpu"))
    assert energy.line() == "energy: CPU and GPU measured"
    energy.meter.read()
    energy.meter.read()
    assert energy.line() == "energy: GPU measured; CPU not (OSError: gone)"


def test_the_thread_reads_while_it_is_open(monkeypatch):
    monkeypatch.setattr(energy_meter, "_READ_EVERY_S", 0.001)
    counter = Counted(iter(lambda: 1.0, None))
    with EnergyMeter([counter]) as meter:
        while meter.joules["cpu"] < 3:
            pass
    assert not meter.beat.is_going


def test_trials_that_are_threads_share_the_energy_of_their_process():
    one, two = (EnergyMeter([Counted([4.0, 6.0, 8.0])]) for _ in "12")
    with one:
        assert one.taken()["cpu"] == 4.0
        with two:
            assert (one.taken()["cpu"], two.taken()["cpu"]) == (3.0, 2.0)
    assert two.taken()["cpu"] == 6.0


def test_epochs_and_evaluation_are_apart(monkeypatch):
    energy = trial_energy(monkeypatch, Counted([KWH, KWH, 3 * KWH, 0.0]))
    energy.end_epoch(ALONE)
    energy.end_epoch(ALONE)
    assert energy.of_training().cpu_kwh == pytest.approx(2.0)
    assert energy.of_evaluation().kwh == pytest.approx(3.0)
    assert energy.of_evaluation().kwh is None, "a counter that does not move measures nothing"


def test_a_trial_goes_on_with_what_it_took(monkeypatch):
    energy = trial_energy(monkeypatch, Counted([KWH]))
    energy.end_epoch(ALONE)
    stored = json.loads(json.dumps(energy.as_json()))
    assert stored == {"gpu": None, "cpu": KWH}
    again = trial_energy(monkeypatch, Counted([KWH]))
    again.restore(stored)
    again.end_epoch(ALONE)
    assert again.of_training().cpu_kwh == pytest.approx(2.0)


def test_epochs_of_earlier_code_are_not_measured(monkeypatch):
    energy = trial_energy(monkeypatch, Counted([KWH]))
    energy.restore(None)
    energy.end_epoch(ALONE)
    assert energy.of_training().kwh is None


def test_a_card_that_is_not_measured_leaves_no_sum(monkeypatch):
    energy = trial_energy(monkeypatch, Counted([KWH]), device="cuda")
    taken = energy.of_evaluation()
    assert (taken.cpu_kwh, taken.kwh, taken.counted) == (1.0, None, "CPU")
    both = trial_energy(monkeypatch, Counted([KWH]), Counted([KWH], "gpu"), device="cuda")
    taken = both.of_evaluation()
    assert (taken.kwh, taken.counted) == (2.0, "GPU and CPU")


def test_the_log_says_what_is_measured(monkeypatch):
    assert trial_energy(monkeypatch, Counted([])).line() == "energy: CPU measured"
    monkeypatch.setattr(energy_meter, "open_counters", lambda device: ([], {"cpu": "none here"}))
    assert TrialEnergy("cpu").line() == "energy: nothing measured; CPU not (none here)"


def test_a_training_is_measured_and_resumed(monkeypatch, tmp_path):
    def counting(device):
        return [Counted(iter(lambda: KWH, None))], {}

    monkeypatch.setattr(energy_meter, "open_counters", counting)
    # On a slow machine the thread would read once more, which counts here.
    monkeypatch.setattr(energy_meter, "_READ_EVERY_S", 3600.0)
    folder = Folder(str(tmp_path))
    result = train(trial(), sets(), folder, seed=7)
    assert result["training_energy"]["cpu_kwh"] == pytest.approx(3.0)
    assert result["evaluation_energy"]["cpu_kwh"] == pytest.approx(1.0)
    assert result["macs_10s"] > 0
    assert "energy: CPU measured" in (tmp_path / "log.txt").read_text()
    (tmp_path / "result.json").unlink()
    again = train(trial(), sets(), folder, seed=7)
    assert again["training_energy"] == result["training_energy"]
    # A checkpoint of earlier code has no energy.
    tensors, about = load_checkpoint(folder, LAST)
    del about["energy_j"]
    save_checkpoint(folder, LAST, tensors, about)
    (tmp_path / "result.json").unlink()
    earlier = train(trial(), sets(), folder, seed=7)
    assert earlier["training_energy"]["cpu_kwh"] is None


def test_without_counters_nothing_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(energy_meter, "open_counters", lambda device: ([], {"cpu": "absent"}))
    result = train(trial(), sets(), Folder(str(tmp_path)), seed=7)
    nothing = {"on_gpu": False, "gpu_kwh": None, "cpu_kwh": None}
    assert result["training_energy"] == result["evaluation_energy"] == nothing
