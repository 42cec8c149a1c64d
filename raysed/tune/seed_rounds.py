"""The rounds of a run: one where seeds are listed; where they grow, a look after each says which trials come next.

A look is made of stored statistics when all trials of its round are finished, and written before the next round begins:
a run that is killed goes on with the same decisions. A trial that fails for its own reasons (a diverged loss) fails so
each time, and the look is made without it; one that fails otherwise is tried again by the next command, and left out
when it fails there, too.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from raysed.config.space import ResolvedSpace, Space
from raysed.report.grouped_results import read_grouped
from raysed.report.look_decisions import next_look
from raysed.report.look_lines import about_look
from raysed.report.results import Measured
from raysed.report.trial_scores import with_scores
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import SeedLooks, read_looks, seeds_of_trainings
from raysed.run.trial_plan import TrialPlan, plan_trials
from raysed.run.trial_state import state_of
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
    failed_before = {t.name for t in plan_trials(resolved, run) if state_of(t.out) == "failed"}
    for_good: set[str] = set()
    while True:
        trials = plan_trials(resolved, run)
        plan = plan_of(seeds_of_trainings(resolved, run))
        plan.write(run)
        holes = train([trial for trial in trials if trial.name not in for_good])
        looks = read_looks(run, resolved.space.looks)
        if not looks.planned or looks.over:
            return trials, holes
        lacking = [trial for trial in trials if not trial.is_over]
        for_good |= {t.name for t in lacking if _fails_for_good(t, failed_before)}
        waiting = holes or [trial.name for trial in lacking if trial.name not in for_good]
        if waiting or not _has_two_seeds(trials):
            say(_no_look(waiting or [trial.name for trial in lacking]))
            return trials, holes
        failed = [trial.name for trial in lacking]
        if take_look(run, plan, looks, say, failed).over:
            return trials, holes


def _fails_for_good(trial: TrialPlan, failed_before: set[str]) -> bool:
    """Tell whether a trial has failed for its own reasons, or in two commands."""
    if state_of(trial.out) != "failed":
        return False
    failure = trial.out.failure()
    return trial.name in failed_before or (failure is not None and failure.own)


def _has_two_seeds(trials: list[TrialPlan]) -> bool:
    """Tell whether any training has two finished seeds: without, nothing is known of how much they vary."""
    counts = Counter(trial.training.id for trial in trials if trial.out.finished)
    return max(counts.values(), default=0) > 1


def _no_look(waiting: list[str]) -> str:
    what = (
        f"{counted(len(waiting), 'trial')} of this round {'lacks' if len(waiting) == 1 else 'lack'}"
    )
    return f"no look yet: {what} results; the same command tries again, and then looks without what fails again"


def seeds_text(space: Space) -> str:
    """Return the seeds of a space for a headline, between its trainings and its trials: ` x 5 seeds =`."""
    if not space.looks:
        return f" x {counted(len(space.all_seeds), 'seed')} ="
    first, last = space.looks[0], space.looks[-1]
    return f", {first} to {last} seeds as claims are open, so far"


def take_look(
    run: Folder,
    plan: RunPlan,
    looks: SeedLooks,
    say: Callable[[str], None],
    failed: Sequence[str] = (),
) -> SeedLooks:
    """Make the next look at a run whose round is complete but for trials that failed for good, and write it; return all
    looks.
    """
    results = with_scores(run, plan, read_grouped(run, plan))
    look = next_look(plan, Measured(results, plan.bootstrap_draws), looks, failed)
    looks = looks.model_copy(update={"done": (*looks.done, look)})
    looks.write(run)
    for line in about_look(plan, looks.planned, len(looks.done), look):
        say(line)
    return looks
