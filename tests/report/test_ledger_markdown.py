"""The ledger as a person reads it."""

import io

import pandas as pd

from raysed.report.ledger import ledger_rows
from raysed.report.ledger_markdown import kwh_text, ledger_lines, ledger_table
from raysed.report.report import write_report
from tests.report.ledger_run import ledger_run, note
from tests.report.made_up import changed_plan


def rows(lines):
    return [[each.strip() for each in line.strip("|").split("|")] for line in lines if "|" in line]


def test_the_table_and_the_lines(tmp_path):
    run = ledger_run(tmp_path)
    note(run, "bb", (None, None))
    changed_plan(run, energy_baseline="B").write(run)
    report = write_report(run)
    lines = run.read("tables/ledger.md").decode().splitlines()
    head, _, base, small = rows(lines)
    assert head[4:6] == ["kWh, training", "kWh, evaluation"]
    assert head[7:] == ["EW-PSDS (training)", "EW-PSDS (evaluation)"]
    assert base[:7] == ["B", "val", "2", "930.0 M", "2.000", "1.000", "CPU"]
    assert small[:4] == ["S", "val", "2", "930.0 M"]
    assert small[4:] == ["not measured", "not measured", "", "not measured", "not measured"]
    assert "EW-PSDS is PSDS times the kWh of B" in lines[-1]
    assert (
        "Operations for 10 s of audio: 930.0 M MACs. Energy: 6.000 kWh in 2 of 4 trials (CPU). More in"
        " tables/ledger.md."
    ) in report.lines
    saved = pd.read_csv(io.BytesIO(run.read("tables/ledger.csv")))
    assert saved.ew_psds_training.isna().tolist() == [False, True]
    assert report.as_json()["ledger"][1]["training_kwh"] is None


def test_without_a_baseline_no_energy_is_weighed(tmp_path):
    run = ledger_run(tmp_path)
    plan = changed_plan(run)
    table = ledger_table(plan, ledger_rows(plan, write_report(run).frame))
    assert "930.0 M" in "".join(table) and "100.0 M" in "".join(table)
    assert "EW-" not in "".join(table)


def test_nothing_is_said_of_a_run_without_a_ledger(tmp_path):
    assert ledger_lines([]) == ledger_table(changed_plan(ledger_run(tmp_path)), []) == []


def test_an_energy_that_was_not_measured_is_no_number():
    assert kwh_text(None) == "not measured" and kwh_text(1.39) == "1.390"
    assert kwh_text(0.000123) == "0.00012"
