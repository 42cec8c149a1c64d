"""The request that `raysed score` answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from raysed.evaluation.metrics.registry import COUNT_METRICS, metric_names
from raysed.pulse import Pulse, silent

Overlaps = Literal["refuse", "merge", "keep"]
AtThreshold = Literal["event", "none"]
Engine = Literal["sed_eval", "psds_eval", "sed_scores_eval"]
IntervalMethod = Literal["bca", "paper"]
_CHOICES = {
    "overlaps": Overlaps,
    "at_threshold": AtThreshold,
    "engine": Engine,
    "method": IntervalMethod,
}
_RANGES = {"draws": (10, 1_000_000), "seed": (0, 2**32 - 1)}


@dataclass(frozen=True)
class ScoreRequest:
    """A request to score predictions."""

    predictions: Path | None
    """None where many `systems` are scored."""
    ground_truth: Path
    durations: Path | None = None
    systems: Path | None = None
    """A folder with a TSV or folder for each of many systems."""
    versus: Path | None = None
    clips: Path | None = None
    """Tells which clips of the ground truth are scored, where recordings are missing (read_clip_list)."""
    reference: Path | None = None
    """Another system's predictions on all clips, where some are missing."""
    label_map: Path | None = None
    """A TSV with the names that predictions have for classes of the ground truth (read_label_map)."""
    classes: tuple[str, ...] = ()
    """The classes that are scored; none: all of the ground truth."""
    groups: Path | None = None
    """A TSV with the source of each clip: intervals draw sources."""
    overlaps: Overlaps = "refuse"
    """The treatment of overlapping ground truth of one class: refuse, merge or keep."""
    threshold: float | None = None
    at_threshold: AtThreshold = "event"
    """A score of a score file that equals the threshold: an event, or none."""
    draws: int = 10_000
    seed: int = 0
    metrics: tuple[str, ...] = COUNT_METRICS
    engine: Engine | None = None
    """A package of the field that computes the values, too."""
    method: IntervalMethod = "bca"
    """The interval of each value: BCa (95 %), or the published recipe of Turpault & Serizel 2020 (90 %)."""
    pulse: Pulse = field(default_factory=silent, compare=False, repr=False)
    """It is told what is being done."""

    def __post_init__(self) -> None:
        """Refuse unknown metrics, values that an option does not have, and a reference that nothing is missing for."""
        metric_names(self.metrics)
        self._refuse_mixtures()
        self._refuse_values()

    def _refuse_values(self) -> None:
        """Raise ValueError for values that come from Python or a certificate, and that the command line would refuse."""
        for name, kind in _CHOICES.items():
            given, known = getattr(self, name), get_args(kind)
            if given not in known and not (name == "engine" and given is None):
                expected = f"{', '.join(known[:-1])} or {known[-1]}"
                raise ValueError(f"--{name.replace('_', '-')} {given}: expected {expected}")
        for name, (least, most) in _RANGES.items():
            given = getattr(self, name)
            if not isinstance(given, int | np.integer) or not least <= given <= most:
                raise ValueError(
                    f"--{name} {given!r}: expected a whole number from {least} to {most}"
                )
        threshold = self.threshold
        if threshold is not None and not (
            isinstance(threshold, float | int | np.number) and np.isfinite(threshold)
        ):
            raise ValueError(f"--threshold {threshold} is not a number")

    def _refuse_mixtures(self) -> None:
        """Raise ValueError for options that do not go together."""
        if (self.predictions is None) == (self.systems is None):
            raise ValueError(
                "give either --predictions, one system, or --systems, a folder of many systems"
            )
        if self.systems is not None and self.engine:
            raise ValueError("--engine confirms one system: give it with --predictions")
        if self.systems is not None and self.method != "bca":
            raise ValueError(
                "--method paper is about one system: a ranking's intervals are simultaneous ones"
            )
        if self.systems is not None and (self.versus or self.reference):
            other = "--versus" if self.versus else "--reference"
            raise ValueError(
                f"--systems compares all systems of its folder; put that of {other} there"
            )
        if self.reference is not None and self.clips is None:
            raise ValueError(
                "--reference tells what missing clips would have changed; say with --clips which clips are there"
                " (or compare two systems with --versus)"
            )
