"""Operations and energy of cells, and PSDS weighted by energy; what is not measured is no number."""

import io

import numpy as np
import pandas as pd
import pytest

from raysed.report.ledger import ledger_columns, ledger_rows
from raysed.report.report import write_report
from raysed.run.folders import Energy, TrialFolder, TrialResult
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.ledger_run import energies, ledger_run, note
from tests.report.made_up import cell, changed_plan, plan_of, write_trial


@pytest.fixture
def run(tmp_path):
    return ledger_run(tmp_path)


def rows_of(run, **change):
    return ledger_rows(changed_plan(run, **change), write_report(run).frame)


def test_results_hold_operations_and_energy(run):
    write_report(run)
    frame = pd.read_parquet(io.BytesIO(run.read("results.parquet")))
    first = frame[frame.cell == "S"].iloc[0]
    assert (first.macs_10s, first.training_kwh, first.training_cpu_kwh) == (100e6, 0.5, 0.5)
    assert np.isnan(first.training_gpu_kwh) and first.evaluation_kwh == 0.5


def test_ew_psds_is_psds_times_the_baselines_energy_over_its_own(run):
    base, small = rows_of(run, energy_baseline="B")
    assert base["ew_psds_training"] == pytest.approx(base["psds"])
    assert small["psds"] > 0
    assert small["ew_psds_training"] == pytest.approx(small["psds"] * 2.0 / 0.5)
    assert small["ew_psds_evaluation"] == pytest.approx(small["psds"] * 1.0 / 0.5)
    assert "ew_event_f1_training" not in small


def test_without_a_baseline_there_is_none(run):
    assert all(row["ew_psds_training"] is None for row in rows_of(run))


@pytest.mark.parametrize(
    ("kwh", "gpu"),
    [((None, None), None), ((None, None), 3.0)],
    ids=["nothing measured", "another counter"],
)
def test_energies_of_other_counters_are_not_compared(run, kwh, gpu):
    note(run, "bb", kwh, gpu=gpu)
    base, small = rows_of(run, energy_baseline="B")
    assert small["ew_psds_training"] is None and base["ew_psds_training"] is not None
    assert small["training_kwh"] == gpu


def test_a_seed_that_was_not_measured_leaves_no_mean(run):
    trial = TrialFolder.of(run, "bb", 1)
    trial.write_result(trial.result_as_json() | energies(None, 0.5))
    _, small = rows_of(run, energy_baseline="B")
    assert (small["training_kwh"], small["training_counted"]) == (None, "")
    assert small["evaluation_kwh"] == 0.5 and small["ew_psds_evaluation"] is not None


def test_a_run_of_earlier_code_has_no_ledger(tmp_path):
    folder = Folder(str(tmp_path))
    write_json(folder, "plan.json", plan_of([cell("B", "aa")], seeds=(0,)))
    write_trial(folder, "aa", 30, 0)
    report = write_report(folder)
    assert report.ledger == []
    assert folder.read("tables/ledger.md") is None
    assert report.frame[list(ledger_columns(None))].isna().all(axis=None)


def test_zero_is_never_said_of_what_was_not_measured():
    columns = ledger_columns(TrialResult(selected={}, train_seconds=1, loss_first=1, loss_last=1))
    assert np.isnan(list(columns.values())).all()
    assert Energy(on_gpu=True, cpu_kwh=1.0).kwh is None
