"""A run with operations and energies, as if they had been measured."""

from raysed.run.folders import TrialFolder
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.made_up import cell, plan_of, write_trial


def ledger_run(path):
    """Two cells of two seeds: B takes 2 and 1 kWh, S a quarter and a half of that."""
    folder = Folder(str(path))
    write_json(folder, "plan.json", plan_of([cell("B", "aa"), cell("S", "bb")]))
    for training, hits in (("aa", 30), ("bb", 20)):
        for seed in (0, 1):
            write_trial(folder, training, hits, seed)
    note(folder, "aa", (2.0, 1.0))
    note(folder, "bb", (0.5, 0.5), macs=100e6)
    return folder


def energies(training, evaluation, gpu=None):
    kwh = {"training": training, "evaluation": evaluation}
    return {
        f"{part}_energy": {"on_gpu": gpu is not None, "cpu_kwh": value, "gpu_kwh": gpu}
        for part, value in kwh.items()
    }


def note(folder, training, kwh, macs=930e6, gpu=None):
    """Add energies and operations to the results of both seeds."""
    for seed in (0, 1):
        trial = TrialFolder.of(folder, training, seed)
        about = trial.result_as_json()
        trial.write_result(about | energies(*kwh, gpu=gpu) | {"macs_10s": macs})
