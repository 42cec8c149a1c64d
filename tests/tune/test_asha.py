"""ASHA over epochs: who is stopped, that nobody is stopped at the end, and that a resumed search goes on."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler
from ray.tune.utils import flatten_dict

from raysed.config.search import Search
from raysed.config.space import read_space
from raysed.run.trial_plan import plan_trials
from raysed.storage.folder import Folder
from raysed.tune.asha import SearchScheduler
from raysed.tune.preparation import search_faults
from tests.tune.runs import epochs_of, run
from tests.tune.test_trial_progress import Plan
from tests.tune.tiny import space_content, write_space

GO, STOP = TrialScheduler.CONTINUE, TrialScheduler.STOP
PARAMETERS = {"optimiser.learning_rate": {"log_uniform": [1e-4, 1e-2]}}
TUPLES = {"optimiser.learning_rate": {"log_uniform": (1e-4, 1e-2)}}
SEARCH = Search(samples=4, grace_epochs=2, reduction_factor=2, parameters=TUPLES)


def tuned(name, trial_id=None):
    return SimpleNamespace(config={"job": {"name": name}}, trial_id=trial_id or f"tune-{name}")


def metrics(epoch, f1):
    return {"epoch": epoch, "xvalid_f1": {"dry": f1, "rir": f1}, "clips_per_s": 1.0}


@pytest.fixture
def plans(tmp_path):
    return [Plan(Folder(str(tmp_path)), name) for name in "abcd"]  # of 4 epochs


def decisions(scheduler, trial, f1s, start=0):
    return [
        scheduler.on_trial_result(None, trial, flatten_dict(metrics(epoch, f1)))
        for epoch, f1 in enumerate(f1s, start)
    ]


def started(scheduler, *names):
    trials = [tuned(name) for name in names]
    for trial in trials:
        scheduler.on_trial_add(None, trial)
    return trials


def test_the_worse_half_is_stopped_at_a_rung_and_nobody_before_or_at_the_end(plans):
    scheduler = SearchScheduler(SEARCH, plans)
    a, b, c = started(scheduler, "a", "b", "c")
    assert decisions(scheduler, a, [0.1, 0.4, 0.4, 0.4]) == [GO] * 4
    assert decisions(scheduler, b, [0.0, 0.3]) == [GO, STOP]
    assert decisions(scheduler, c, [0.0, 0.6, 0.0, 0.0]) == [GO] * 4


def test_a_failed_trial_is_no_decision(plans):
    scheduler = SearchScheduler(SEARCH, plans)
    (a,) = started(scheduler, "a")
    assert scheduler.on_trial_result(None, a, {"failed": "OSError"}) == GO


def test_a_resumed_search_knows_who_was_there(plans):
    stored = "\n".join(json.dumps(metrics(epoch, 0.4)) for epoch in range(4))
    plans[0].out.folder.write("progress.jsonl", stored.encode())
    plans[0].out.folder.write("result.json", b"{}")
    # Under way: it was at the rung with 0.5 and is not judged there again.
    lines = [json.dumps(metrics(0, 0.0)), json.dumps(metrics(1, 0.5))]
    plans[1].out.folder.write("progress.jsonl", "\n".join(lines).encode())
    scheduler = SearchScheduler(SEARCH, plans)
    b, c = started(scheduler, "b", "c")
    assert decisions(scheduler, b, [0.0], start=2) == [GO]
    # Against 0.4 and 0.5, of which the upper half is above 0.45.
    assert decisions(scheduler, c, [0.0, 0.44]) == [GO, STOP]


def test_without_the_stored_epochs_it_would_have_gone_on(plans):
    (c,) = started(SearchScheduler(SEARCH, plans), "c")
    scheduler = SearchScheduler(SEARCH, plans)
    (c,) = started(scheduler, "c")
    assert decisions(scheduler, c, [0.0, 0.44]) == [GO, GO]


def test_grace_beyond_the_last_epoch_is_refused(plans):
    search = SEARCH.model_copy(update={"grace_epochs": 5})
    (fault,) = search_faults(search, plans)
    assert fault == "search.grace_epochs is 5, but the trials have 4 epochs"
    assert list(search_faults(SEARCH, plans)) == list(search_faults(None, plans)) == []


@pytest.mark.ray
def test_a_stopped_trial_stays_stopped(tree: Path, ray_session: None, monkeypatch) -> None:
    base = space_content(tree, tree / "job.yaml")["base"]
    base["data"] = {**base["data"], "xvalid": ["dry"]}
    base["schedule"] = {"epochs": 3, "steps_per_epoch": 2, "ramp_epochs": 1}
    search = {"samples": 2, "reduction_factor": 2, "parameters": PARAMETERS}
    space = write_space(tree, "search", base=base, cells=[], contrasts=[], seeds=[0], search=search)
    trials = plan_trials(read_space(space), Folder(str(tree / "search")))
    judged = SearchScheduler.on_trial_result

    def stop_the_first(self, controller, trial, result):
        decision = judged(self, controller, trial, result)
        return STOP if trial.config["job"]["name"] == trials[0].name else decision

    monkeypatch.setattr(SearchScheduler, "on_trial_result", stop_the_first)
    code, said = run(space)
    assert code == 0
    assert any("stopped early after epoch 1/3" in line for line in said)
    assert [trial.out.finished for trial in trials] == [False, True]
    folder = Path(trials[0].out.url)
    assert json.loads((folder / "stopped.json").read_text()) == {"epochs": 1}
    assert len(epochs_of(folder)) == 1
    code, said = run(space)
    assert code == 0 and any("2 trials, 2 finished" in line for line in said)
    assert len(epochs_of(folder)) == 1
