"""`raysed tune --fast-dev-run`: a space with as little training as goes the whole way."""

from dataclasses import replace

from raysed.config.space import ResolvedSpace, on_device

EPOCHS = STEPS = 2
_DRAWS = 100


def fewest_steps(resolved: ResolvedSpace) -> ResolvedSpace:
    """Return the space with two epochs of two steps for every training, one seed, no search and few draws.

    Cells that differ in the length of training alone then share one.
    """
    space = resolved.space.model_copy(
        update={"seeds": resolved.space.all_seeds[:1], "search": None, "bootstrap_draws": _DRAWS}
    )
    trials = []
    for trial in resolved.trials:
        few = {"epochs": EPOCHS, "steps_per_epoch": STEPS}
        trials.append(trial.model_copy(update={"schedule": trial.schedule.model_copy(update=few)}))
    shorter = replace(resolved, space=space, trials=tuple(trials))
    return on_device(shorter, "cpu" if space.resources.gpus_per_worker in (0.0, "auto") else "cuda")
