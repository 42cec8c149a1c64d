"""A run whose seeds grow, without training: every trial's statistics are written when it is asked for."""

from types import SimpleNamespace

from raysed.config.space import Training
from raysed.config.trial import Trial, TrialData
from raysed.run.run_plan import RunPlan
from raysed.run.stored_file import parse_stored
from tests.report.made_up import cell, claim, plan_of, write_trial

LOOKS = (2, 3, 4)
TRIAL = Trial(
    data=TrialData(synthetic="s", unlabelled="u", weak="w", xvalid=("dry",), evaluation=("val",))
)
HITS = {"g": (36, 34, 37, 35), "p": (4, 6, 5, 3), "m": (30, 31, 28, 30), "t": (36, 35, 36, 36)}
"""The events that each training's seeds find, of 40."""
CELLS = {"good": "g", "poor": "p", "middle": "m", "twin": "t"}
RESOLVED = SimpleNamespace(
    trainings=tuple(Training(t, TRIAL, {name: ("val",)}) for name, t in CELLS.items()),
    space=SimpleNamespace(all_seeds=tuple(range(LOOKS[-1])), looks=LOOKS),
)


def plan_for(seeds_of, *, claims=None):
    """The plan of a round."""
    content = plan_of(
        [cell(name, training) for name, training in CELLS.items()],
        seeds=max(seeds_of.values(), key=len),
        contrasts=[("poor", "good"), ("middle", "good"), ("twin", "good")],
        claims=[claim("K1", ("good", "higher", "poor"), metrics=["event_f1"])] if claims is None else claims,
    )  # fmt: skip
    trainings = [t | {"seeds": list(seeds_of[t["id"]])} for t in content["trainings"]]
    trials = sum(map(len, seeds_of.values()))
    metrics = ["event_f1"]
    more = {"looks": LOOKS, "trainings": trainings, "trials": trials, "metrics": metrics}
    return parse_stored(content | more, "plan.json", RunPlan)


def train(run, trials):
    """What a round's trainings leave: those that are not there yet."""
    for trial in trials:
        if not trial.is_over:
            write_trial(run, trial.training.id, HITS[trial.training.id][trial.seed], trial.seed)
