import shutil

import pytest

from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.report.made_up import cell, claim, plan_of, write_trial


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """Run folders that are written once and copied."""
    root = tmp_path_factory.mktemp("templates")
    write_run(Folder(str(root / "run")))
    write_claimed(Folder(str(root / "claimed")))
    return root


@pytest.fixture
def run(templates, tmp_path):
    """Two trainings of two seeds, all finished: one finds 30 of 40 events, the other 10."""
    return Folder(str(shutil.copytree(templates / "run", tmp_path / "run")))


@pytest.fixture
def claimed(templates, tmp_path):
    """Three trainings, two tables, two x-valid sets and two evaluation sets; "fair-2" repeats "fair"."""
    return Folder(str(shutil.copytree(templates / "claimed", tmp_path / "claimed")))


def write_run(folder):
    cells = [cell("good", "g", f1=0.3414), cell("poor", "p")]
    write_json(folder, "plan.json", plan_of(cells, contrasts=[("poor", "good")]))
    for seed in (0, 1):
        write_trial(folder, "g", 30, seed, xvalid_f1=0.7)
        write_trial(folder, "p", 10, seed, xvalid_f1=0.3)


def write_claimed(folder):
    sets = ("val", "eval")
    cells = [
        cell("good", "g", sets=sets, f1=0.40, psds=0.5),
        cell("fair", "f", sets=sets, f1=0.30, psds=0.4),
        cell("fair-2", "f", table="2", sets=sets, f1=0.30, psds=0.4),
        cell("fair-wet", "f", table="2", xvalid="wet", sets=sets, f1=0.305, psds=0.41),
        cell("poor", "p", table="2", f1=0.20, psds=0.45),
    ]
    claims = [
        claim("K1", ("good", "higher", "fair")),
        claim("K2", ("poor", "higher", "good"), metrics=["event_f1"]),
        claim("K3", ("fair-wet", "higher", "fair-2"), ("fair-wet", "lower", "good")),
        claim("K4", ("poor", "not_higher", "fair"), metrics=["psds"]),
    ]
    contrasts = [("fair", "good"), ("poor", "fair-2"), ("fair-wet", "fair-2")]
    write_json(folder, "plan.json", plan_of(cells, contrasts=contrasts, claims=claims))
    for seed in (0, 1):
        write_trial(folder, "g", 36, seed, sets=sets)
        write_trial(folder, "f", 20, seed, sets=sets, xvalids=("dry", "wet"))
        write_trial(folder, "p", 5, seed)
