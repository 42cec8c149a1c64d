"""The post-processings that have a name and need no tuning: `raysed predict --postprocessing boxes`."""

from dataclasses import replace

from raysed.evaluation.detections.bounding_boxes import PUBLISHED_BOXES
from raysed.predict.settings import ClassPostProcessing

LOW_SHARE = 0.5
"""Of untuned hysteresis: an event ends at half the threshold that begins it."""
NAMED = ("raw", "median", "hysteresis", "boxes")
_TUNED = "class_median"


def is_name(given: str) -> bool:
    """Tell whether a text is a method and no file; a file of that name is given as `./boxes`."""
    return given in (*NAMED, _TUNED)


def settings_of(
    method: str, own: ClassPostProcessing, trained: ClassPostProcessing
) -> ClassPostProcessing:
    """Return a method's settings: `median` as trained, the others at the thresholds of the checkpoint.

    Boxes are the paper's (0.48 s, 0.15, 2). Raises ValueError for what does not exist untuned.
    """
    count = len(own.classes)
    plain = replace(own, low_share=None, boxes=None)
    if method == "median":
        return trained
    if method == "raw":
        return replace(plain, median_window=(1,) * count)
    if method == "hysteresis":
        return replace(plain, low_share=(LOW_SHARE,) * count)
    if method == "boxes":
        return replace(plain, median_window=(1,) * count, boxes=(PUBLISHED_BOXES,) * count)
    raise ValueError(
        f"--postprocessing {method}: has no settings before it is tuned; `raysed postprocess TRIAL --xvalid X --evaluate E`"
        " writes a tuned checkpoint, and RUN/trials/*/postprocessing/*.json hold what the cells of a space chose"
    )
