"""The refusal of sets that a trial cannot be scored on, before it trains."""

from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet
from raysed.training.embedding_rows import check_rows


def check_scored_sets(trial: Trial, sets: dict[str, FeatureSet], trained: FeatureSet) -> None:
    """Raise ValueError for x-valid sets that cannot choose, and for sets unlike those that are trained on."""
    # A set whose clips have no labels at all is refused where they are read.
    empty = [name for name in trial.data.xvalid if all(e == () for e in sets[name].events)]
    if empty:
        raise ValueError(
            f"x-valid set {', '.join(empty)} holds no events: it cannot choose an epoch"
        )
    weak = trial.data.weak_xvalid
    if weak is not None and not any(sets[weak].weak_labels):
        raise ValueError(f"weak x-valid set {weak} holds no labels: it cannot choose an epoch")
    for name in trial.data.evaluation:
        if not len(sets[name]):
            raise ValueError(f"evaluation set {name} holds no clips: nothing can be scored")
    for name in trial.set_names():
        scored = sets[name]
        if (scored.classes, scored.features) != (trained.classes, trained.features):
            raise ValueError(
                f"{name} has classes {list(scored.classes)} and {scored.features}; training"
                f" ({trained.name}) has {list(trained.classes)} and {trained.features}"
            )
    check_rows(trial, {name: sets[name] for name in trial.set_names()})
