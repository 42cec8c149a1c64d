"""The rounds of a run: one where seeds are listed; where they grow, a look after each says which trials come next.

A look is made of stored statistics when all trials of its round are finished, and written before the next round begins:
a run that is killed goes on with the same decisions.
"""

from collections.abc import Callable

from raysed.config.space import ResolvedSpace, Space
from raysed.report.grouped_results import read_grouped
from raysed.report.look_decisions import next_look
from raysed.report.look_lines import about_look
from raysed.report.results import Measured
from raysed.report.trial_scores import with_scores
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import SeedLooks, read_looks, seeds_of_trainings
from raysed.run.trial_plan import TrialPlan, plan_trials
from raysed.storage.folder import Folder
from raysed.text import counted

SeedsOf = dict[str, tuple[int, ...]]


def run_rounds(
    resolved: ResolvedSpace,
    run: Folder,
    plan_of: Callable[[SeedsOf], RunPlan],
    train: Callable[[list[TrialPlan]], list[str]],
    say: Callable[[str], None],
) -> tuple[list[TrialPlan], list[str]]:
    """Train round after round; return the trials of all of them, and what is missing of the last.

    `plan_of` makes the plan of a round, which is written before it; `train` trains those of its trials that are left, and
    returns what else is missing of them.
    """
    while True:
        trials = plan_trials(resolved, run)
        plan = plan_of(seeds_of_trainings(resolved, run))
        plan.write(run)
        holes = train(trials)
        looks = read_looks(run, resolved.space.looks)
        if not looks.planned or looks.over:
            return trials, holes
        missing = holes or [trial.name for trial in trials if not trial.is_over]
        if missing:
            what = f"{counted(len(missing), 'trial')} of this round {'lacks' if len(missing) == 1 else 'lack'}"
            say(f"no look yet: {what} results; the same command tries again")
            return trials, holes
        if take_look(run, plan, looks, say).over:
            return trials, holes


def seeds_text(space: Space) -> str:
    """Return the seeds of a space for a headline, between its trainings and its trials: ` x 5 seeds =`."""
    if not space.looks:
        return f" x {counted(len(space.all_seeds), 'seed')} ="
    first, last = space.looks[0], space.looks[-1]
    return f", {first} to {last} seeds as claims are open, so far"


def take_look(
    run: Folder, plan: RunPlan, looks: SeedLooks, say: Callable[[str], None]
) -> SeedLooks:
    """Make the next look at a run whose round is complete, and write it; return all looks."""
    results = with_scores(run, plan, read_grouped(run, plan))
    look = next_look(plan, Measured(results, plan.bootstrap_draws), looks)
    looks = looks.model_copy(update={"done": (*looks.done, look)})
    looks.write(run)
    for line in about_look(plan, looks.planned, len(looks.done), look):
        say(line)
    return looks
