"""The differences of a run whose seeds grow are those of its last look."""

import numpy as np
import pytest

from raysed.report.report import write_report
from raysed.run.seed_looks import SeedLooks, read_looks
from raysed.run.trial_plan import plan_trials
from raysed.storage.folder import Folder
from raysed.tune.seed_rounds import take_look
from tests.report.growing import LOOKS, RESOLVED, plan_for, train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run after its first round; no look yet."""
    run = Folder(str(tmp_path_factory.mktemp("growing")))
    train(run, plan_trials(RESOLVED, run))
    plan_for({t.id: (0, 1) for t in RESOLVED.trainings}).write(run)
    return run


def test_nothing_is_judged_before_a_look_then_what_it_found(run):
    before = write_report(run)
    assert before.contrasts == [] and before.claims[0].holds == "waiting"
    assert "Nothing is judged before every cell has 2 seeds." in before.lines
    said = []
    looks = take_look(run, before.plan, SeedLooks(planned=LOOKS), said.append)
    assert read_looks(run, LOOKS) == looks
    report = write_report(run)
    assert all(line in report.lines for line in said)
    assert said[0].startswith(
        "Look 1 of at most 3, after 2 seeds (1.8 % of error spent): 4 questions"
    )
    (family,) = looks.done[0].families
    for found, stored in zip(report.contrasts, family.differences, strict=True):
        ends = (found.simultaneous_low, found.simultaneous_high)
        assert ends == (stored.low, stored.high) and np.isnan(found.p)
        assert found.about == "other clips and other seeds" and found.seeds == (0, 1)
        assert found.difference == pytest.approx(np.mean(found.seed_differences))
        assert stored.low <= stored.alone_low <= stored.alone_high <= stored.high
    (claim,) = report.claims
    assert claim.holds == "yes"
    assert report.as_json()["looks"]["planned"] == list(LOOKS)
    assert report.as_json()["contrasts"][0]["p"] is None
    text = run.read("tables/claims.md").decode()
    assert said[0] in text
