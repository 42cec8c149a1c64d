"""The post-processing of a cell, where that is not its training's own threshold and median: it costs no training."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from raysed.config.base import Config

_Method = Literal["raw", "median", "class_median", "hysteresis", "boxes"]
_NOTHING_TUNED = ("raw", "median")


class CellPostProcessing(Config):
    """A way from scores to events, tuned class by class; a text alone is a method."""

    method: _Method
    """Scores without a filter, the training's own (as if left out), a median window for each class, two thresholds,
    or bounding boxes by change detection."""
    tuned_for: Literal["event_f1", "psds1", "psds2"] = "event_f1"
    """The metric that settings are chosen for; thresholds are chosen for event-based F1."""
    tuned_on: Literal["xvalid", "evaluation"] = "xvalid"
    """The x-valid set of the cell, or the evaluation set itself, cross-fitted: each fifth of its clips is decoded by
    what the other four choose."""

    @model_validator(mode="after")
    def _only_what_is_tuned(self) -> "CellPostProcessing":
        # A stored plan has every key, so only other values than the defaults count.
        given = sorted(set(self.identity()) - {"method"})
        if self.method in _NOTHING_TUNED and given:
            raise ValueError(f"nothing is tuned in {self.method}: leave out {' and '.join(given)}")
        return self

    @property
    def is_tuned(self) -> bool:
        """Tell whether anything is chosen on a set."""
        return self.method not in _NOTHING_TUNED

    @property
    def name(self) -> str:
        """Return the name in its files: `boxes-psds1-xvalid`; empty for the training's own."""
        if self.method == "median":
            return ""
        return f"{self.method}-{self.tuned_for}-{self.tuned_on}" if self.is_tuned else self.method


def _from_text(given: Any) -> Any:
    """Read a text as the method alone."""
    return {"method": given} if isinstance(given, str) else given


GivenPostProcessing = Annotated[
    CellPostProcessing,
    BeforeValidator(_from_text, json_schema_input_type=_Method | CellPostProcessing),
]
"""A post-processing, or a text for its method alone."""
