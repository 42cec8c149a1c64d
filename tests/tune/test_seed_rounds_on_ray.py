"""Three rounds of growing seeds through `raysed tune` on Ray, killed in the second and in the third, and resumed."""

import shutil
from pathlib import Path

import pytest

from raysed.config.space import read_space
from raysed.report import look_decisions
from raysed.report.report import write_report
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import read_looks
from raysed.storage.folder import Folder
from raysed.tune.seed_rounds import run_rounds
from tests.session_ray import joining
from tests.tune.runs import epochs_of, run, start, wait_for
from tests.tune.tiny import space_content, write_space

pytestmark = [pytest.mark.ray, pytest.mark.slow]

LOOKS = (2, 3, 4)
NEVER_HOPELESS = "from raysed.report import look_decisions; look_decisions.HOPELESS = -1.0"
"""Networks that learn nothing in some seconds leave every question without a chance; no look may give these up here."""


def growing_space(tree: Path) -> Path:
    """Two cells of one training, so that a round of one seed is one trial."""
    content = space_content(tree, tree / "job.yaml")
    content["base"]["schedule"] = {"epochs": 20, "steps_per_epoch": 2, "ramp_epochs": 1}
    return write_space(
        tree,
        "growing",
        base=content["base"],
        cells=content["cells"][:2],
        contrasts=[{"cell": "rir", "against": "all"}],
        metrics=["event_f1", "best_segment_f1"],
        seeds={"from": LOOKS[0], "to": LOOKS[-1]},
    )


def test_later_rounds_are_killed_and_resumed(tree, ray_session, monkeypatch):
    space = growing_space(tree)
    resolved, folder = read_space(space), tree / "growing"
    (training,) = resolved.trainings
    ours = Folder(str(folder))
    for looks_made, seed in ((1, 2), (2, 3)):
        trial = folder / "trials" / f"{training.id}-seed{seed}"
        process = start(space, NEVER_HOPELESS, **joining())
        wait_for(lambda at=trial: len(epochs_of(at)) >= 2, process)
        process.kill()
        process.wait()
        looks = read_looks(ours, LOOKS)
        assert len(looks.done) == looks_made and looks.done[-1].further == (training.id,)
        assert not (trial / "result.json").exists()
        assert not trial.with_name(f"{training.id}-seed{seed + 1}").exists()
    monkeypatch.setattr(look_decisions, "HOPELESS", -1.0)
    code, said = run(space)
    assert code == 0, said
    looks = read_looks(ours, LOOKS)
    assert [look.seeds for look in looks.done] == [2, 3, 4] and looks.over
    assert any(
        line.startswith("Look 3 of at most 3, after 4 seeds (5.0 % of error") for line in said
    )
    report = write_report(ours)
    assert {contrast.seeds for contrast in report.contrasts} == {(0, 1, 2, 3)}
    assert all(trial.state == "finished" for trial in report.trials.values())
    assert decided_at_once(folder, tree / "undisturbed_growing", resolved) == looks


def decided_at_once(folder: Path, elsewhere: Path, resolved):
    """The looks of a run that finds all of the same trainings done, and so is never interrupted."""
    shutil.copytree(folder / "trials", elsewhere / "trials")
    again, plan = Folder(str(elsewhere)), RunPlan.require(Folder(str(folder)))

    def plan_of(seeds_of):
        return RunPlan.of(resolved, plan.datasets, 1, seeds_of)

    run_rounds(resolved, again, plan_of, lambda trials: [], lambda line: None)
    return read_looks(again, LOOKS)
