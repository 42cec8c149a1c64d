"""The trials that a space asks for."""

from types import SimpleNamespace

from raysed.config.space import Training
from raysed.config.trial import Trial, TrialData
from raysed.run.seed_looks import Look, SeedLooks
from raysed.run.trial_plan import every_trial, plan_trials
from raysed.storage.folder import Folder

TRIAL = Trial(
    data=TrialData(synthetic="s", unlabelled="u", weak="w", xvalid=("x",), evaluation=("v",))
)


def test_whole_grids_of_the_first_seeds_come_first(tmp_path):
    trainings = (Training("t1", TRIAL, {"a": (), "b": ()}), Training("t2", TRIAL, {"c": ()}))
    resolved = SimpleNamespace(
        trainings=trainings, space=SimpleNamespace(all_seeds=(0, 5), looks=())
    )
    trials = plan_trials(resolved, Folder(str(tmp_path)))
    assert [trial.name for trial in trials] == ["t1-seed0", "t2-seed0", "t1-seed5", "t2-seed5"]
    assert trials[2].out.url == f"{tmp_path}/trials/t1-seed5"
    assert trials[2].label == "a/b seed 5"


def test_a_trial_is_over_with_its_result_or_when_it_was_stopped(tmp_path):
    resolved = SimpleNamespace(
        trainings=(Training("t", TRIAL, {"a": ()}),),
        space=SimpleNamespace(all_seeds=(0, 1, 2), looks=()),
    )
    done, stopped, failed = plan_trials(resolved, Folder(str(tmp_path)))
    done.out.write_result({})
    stopped.out.note_stopped(3)
    failed.out.note_failure("OSError: full")
    assert [trial.is_over for trial in (done, stopped, failed)] == [True, True, False]


def test_where_seeds_grow_the_trials_are_those_that_are_decided_on(tmp_path):
    run = Folder(str(tmp_path))
    trainings = (Training("t1", TRIAL, {"a": ()}), Training("t2", TRIAL, {"b": ()}))
    space = SimpleNamespace(all_seeds=(0, 1, 2, 3), looks=(2, 3, 4))
    resolved = SimpleNamespace(trainings=trainings, space=space)
    first = ["t1-seed0", "t2-seed0", "t1-seed1", "t2-seed1"]
    assert [trial.name for trial in plan_trials(resolved, run)] == first
    look = Look(seeds=2, spent=0.01, families=(), questions=(), further=("t2",))
    SeedLooks(planned=(2, 3, 4), done=(look,)).write(run)
    assert [trial.name for trial in plan_trials(resolved, run)] == [*first, "t2-seed2"]
    listed = SimpleNamespace(trainings=trainings, space=SimpleNamespace(all_seeds=(2,), looks=()))
    names = [trial.name for trial in plan_trials(listed, Folder(str(tmp_path / "listed")))]
    assert names == ["t1-seed2", "t2-seed2"]
    assert len(every_trial(resolved, run)) == 8
