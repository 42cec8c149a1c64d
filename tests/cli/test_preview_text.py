"""The plan of a space as people read it, on a plan made by hand."""

import io

import pytest
from rich.console import Console

from raysed.cli.preview_text import print_preview

SET = {
    "name": "weak",
    "state": "to_build",
    "clips": 1400,
    "asked": 1578,
    "missing": 12,
    "bytes": 2.5e8,
}
TRAINING = {"id": "0a1b2c3d", "cells": ["A", "B"], "steps": 47200, "seconds": 7200.0}
PLAN = {
    "space": "tiny",
    "job": "desed",
    "cells": [{}, {}],
    "trainings": [TRAINING],
    "seeds": [0, 1, 2],
    "trials": 3,
    "trials_finished": 1,
    "external": [],
    "datasets": [SET],
    "claims": [],
    "resources_per_trial": {"workers": 2, "cpus_per_worker": 4, "gpus_per_worker": 0},
    "cluster": {"cpus": 16.0, "gpus": 0.0},
    "concurrent_trials": 2,
    "bytes_to_write": {"data": 2.5e8, "run": 1.25e9},
    "estimated_hours": 4.0,
    "rounds": None,
    "notes": [],
    "refusals": [],
}


def shown(**changes):
    console = Console(file=io.StringIO(), width=200)
    print_preview(PLAN | changes, console)
    return console.file.getvalue()


def cells(text, start):
    (line,) = [line for line in text.splitlines() if line.startswith(f"│ {start}")]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_plan_that_nothing_stands_in_the_way_of():
    text = shown()
    assert text.startswith("tiny: 2 cells, 1 training x 3 seeds = 3 trials, 1 finished\n")
    assert cells(text, "weak") == ["weak", "to build", "about 1,400", "1,578", "12", "250"]
    assert cells(text, "0a1b2c3d") == ["0a1b2c3d", "A B", "47,200", "2.00"]
    assert "A trial takes 2 x 4 CPU; the cluster has 16 CPUs and 0 GPUs: 2 trials at once." in text
    assert "About 0.25 GB of data sets and 1.25 GB of trials to write." in text
    assert "Time: about 4.00 h for the trials left (estimated)." in text
    assert text.endswith("Nothing stands in the way: the same command without --plan starts it.\n")


def test_what_stands_in_the_way_is_no_markup_and_not_broken():
    long = "sets[weak]: " + "word " * 80
    text = shown(notes=["mind [this]"], refusals=[long])
    assert text.splitlines()[-2:] == ["note: mind [this]", f"refused: {long}"]
    assert "Nothing stands" not in text


@pytest.mark.parametrize(
    ("change", "clips"),
    [
        ({"state": "present"}, "1,400"),
        ({"clips": 1578}, "1,578"),
        ({"clips": 1578, "state": "present"}, "1,578"),
    ],
)
def test_only_a_number_that_may_change_is_about(change, clips):
    assert cells(shown(datasets=[SET | change]), "weak")[2] == clips


def test_what_is_not_known_is_said():
    text = shown(trainings=[TRAINING | {"steps": None, "seconds": None}], estimated_hours=None)
    assert cells(text, "0a1b2c3d")[2:] == ["?", "?"] and "Time: unknown." in text


@pytest.mark.parametrize(
    ("hours", "text"), [(9.994, "9.99 h"), (12.4, "12 h"), (1234.0, "1,234 h")]
)
def test_many_hours_need_no_decimals(hours, text):
    assert f"Time: about {text}" in shown(estimated_hours=hours)


def test_gpus_are_told_where_a_trial_takes_some():
    each = PLAN["resources_per_trial"] | {"gpus_per_worker": 0.5}
    assert "takes 2 x 4 CPU and 0.5 GPU; " in shown(resources_per_trial=each)


def test_systems_from_elsewhere_have_a_table_of_their_own():
    assert "Systems from elsewhere" not in shown()
    files = {"0": "a.tsv", "1": "b.tsv"}
    row = {"cell": "X", "id": "ab12", "evaluation": "val", "predictions": files, "files": 1200}
    text = shown(external=[row])
    assert "Systems from elsewhere" in text
    assert cells(text, "X") == ["X", "ab12", "val", "a.tsv", "1,200"] and "b.tsv" in text


def test_claims_say_what_they_can_settle():
    power = {"state": "open", "seeds_needed": 7, "seeds_to_agree": None, "source": "priors: x"}
    claims = [
        {"id": "K1", "power": power | {"resolves": {"event_f1": 0.059, "psds": 0.055}}},
        {"id": "K2", "power": power | {"state": "never", "seeds_needed": None, "resolves": {}}},
    ]
    text = shown(claims=claims)
    first, second = cells(text, "K1"), cells(text, "K2")
    assert first == ["K1", "needs more seeds", "7", "event F1 % 5.9  PSDS 0.055", "-"]
    assert second == ["K2", "never, on these clips", "-", "?", "-"]
    assert text.count("It rests on priors: x.") == 1
    assert "Claims" not in shown()
