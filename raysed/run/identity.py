"""The identity of a trial, stored with its folder and its checkpoints, and the refusal of any other trial."""

from typing import Any

from raysed.config.reader import validate
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet


def identity_of(trial: Trial, sets: dict[str, FeatureSet], seed: int) -> dict[str, Any]:
    """Return what a trial's folder and checkpoints belong to: configuration, seed and data sets."""
    return {
        "trial": trial.model_dump(mode="json"),
        "seed": seed,
        "datasets": {name: feature_set.id for name, feature_set in sorted(sets.items())},
    }


def check_identity(path: str, stored: dict[str, Any] | None, identity: dict[str, Any]) -> None:
    """Raise ValueError where `stored` (None: nothing yet) belongs to something else, naming both."""
    if stored is None:
        return
    if "trial" in stored:
        # A field that was added after this was stored has its default, so the trial is the same. Before there
        # was a choice of precision it was float32, everywhere.
        known = validate(stored["trial"], Trial, source=path).on("cpu")
        stored = {**stored, "trial": known.model_dump(mode="json")}
    differing = [key for key in identity if stored.get(key) != identity[key]]
    if not differing:
        return
    shown = "; ".join(f"{key}: {_difference(stored.get(key), identity[key])}" for key in differing)
    raise ValueError(
        f"{path} belongs to another trial ({shown}). Choose another run folder, or remove this trial's"
    )


def _difference(stored: Any, wanted: Any) -> str:
    """Return the leaves in which two JSON values differ, as `key stored -> wanted`."""
    if not (isinstance(stored, dict) and isinstance(wanted, dict)):
        return f"{stored} there, {wanted} here"
    keys = [key for key in {**stored, **wanted} if stored.get(key) != wanted.get(key)]
    return ", ".join(f"{key} {_difference(stored.get(key), wanted.get(key))}" for key in keys)
