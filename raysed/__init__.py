"""raysed: sound event detection on heterogeneous data, from audio to settled ablations.

The Python interface is what `__all__` names; docs/python.md shows it. Everything below is internal and may change.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raysed.interface.clip_dataset import open_clips as open_dataset
    from raysed.interface.finished_run import FinishedRun as Run
    from raysed.interface.one_soundscape import one_soundscape as soundscape
    from raysed.interface.score_frames import score_predictions as score
    from raysed.interface.waveform_detector import WaveformDetector as Detector

__version__ = "0.1.0"
__all__ = ["Detector", "Run", "open_dataset", "score", "soundscape"]

# Loaded when they are first asked for: torch and pandas take seconds, which `import raysed` does not.
_PLACES = {
    "Detector": ("waveform_detector", "WaveformDetector"),
    "Run": ("finished_run", "FinishedRun"),
    "open_dataset": ("clip_dataset", "open_clips"),
    "score": ("score_frames", "score_predictions"),
    "soundscape": ("one_soundscape", "one_soundscape"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'raysed' has no attribute {name!r}")
    module, inside = _PLACES[name]
    found = getattr(import_module(f"raysed.interface.{module}"), inside)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
