"""`raysed.Detector`: a checkpoint that answers for waveforms in memory what `raysed predict` says of files."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import soundfile

from raysed.predict.detector import Detector, load_detector, with_settings
from raysed.predict.recordings import RecordingScores, predict
from raysed.predict.settings import events
from raysed.predict.sources import Recording


@dataclass(frozen=True)
class WaveformDetector:
    """A trained network with its features and its post-processing."""

    detector: Detector

    @classmethod
    def load(
        cls,
        checkpoint: str | Path,
        network: Literal["student", "teacher"] | None = None,
        device: str | None = None,
        encoder: str | Path | None = None,
    ) -> Self:
        """Read a checkpoint by path or URL; `device` is cpu or cuda, by default a GPU where there is one.

        `encoder` is the file of the encoder whose embeddings the network takes, where it takes some.
        """
        given = None if encoder is None else str(encoder)
        return cls(load_detector(str(checkpoint), network, device, given))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self.detector.classes

    @property
    def sample_rate(self) -> int:
        """The rate that waveforms are resampled to, in Hz."""
        return self.detector.features.sample_rate_hz

    def with_thresholds(self, thresholds: float | Mapping[str, float]) -> Self:
        """Return the same detector with another threshold, or with other ones for some classes."""
        given = thresholds if isinstance(thresholds, Mapping) else {"": thresholds}
        texts = [f"{label}={value}" if label else str(value) for label, value in given.items()]
        settings = self.detector.settings.with_thresholds(texts)
        return type(self)(with_settings(self.detector, settings))

    def __call__(self, waveform: Any, sample_rate: int) -> pd.DataFrame:
        """Return the events of a waveform (T,) or (C, T), of any length and rate: onset, offset (seconds), event_label.

        Bounding boxes have a column confidence, too. Raises ValueError for what is no audio.
        """
        found = self._scored(waveform, sample_rate)
        rows = events(found.scores_TK, found.edge_T1, self.detector.settings)
        columns = ["onset", "offset", "event_label"]
        columns += ["confidence"] if self.detector.settings.method == "boxes" else []
        return pd.DataFrame(rows, columns=pd.Index(columns))

    def scores(self, waveform: Any, sample_rate: int) -> pd.DataFrame:
        """Return the frame scores after post-processing: onset, offset (seconds) and one column a class, 0 to 1."""
        found = self._scored(waveform, sample_rate)
        frame = pd.DataFrame(found.scores_TK.astype(np.float32), columns=pd.Index(self.classes))
        frame.insert(0, "onset", found.edge_T1[:-1])
        frame.insert(1, "offset", found.edge_T1[1:])
        return frame

    def _scored(self, waveform: Any, sample_rate: int) -> RecordingScores:
        """Return the scores of a waveform, by the road that files take."""
        audio_TC = _as_audio(waveform)
        if isinstance(sample_rate, bool) or int(sample_rate) != sample_rate or sample_rate < 1:
            raise ValueError(f"sample_rate {sample_rate!r}: expected whole Hz")
        with tempfile.TemporaryDirectory(prefix="raysed-waveform-") as place:
            # Four bytes a sample, any length, nothing rounded or clipped.
            path = Path(place, "waveform.rf64")
            soundfile.write(path, audio_TC, int(sample_rate), format="RF64", subtype="FLOAT")
            (found,) = predict(self.detector, [Recording("waveform", str(path))])
        if found.scores is None:
            raise ValueError(f"waveform: {found.reason.replace(str(path), 'it')}")
        return found.scores


def _as_audio(waveform: Any) -> np.ndarray:
    """Return float32 (T, C) of an array or tensor (T,) or (C, T)."""
    array = np.asarray(waveform.detach().cpu() if hasattr(waveform, "detach") else waveform)
    if array.dtype.kind in "iu":
        raise ValueError(
            f"waveform of {array.dtype}: expected floats in -1 to 1 (divide by {2 ** (8 * array.itemsize - 1)})"
        )
    if array.dtype.kind != "f" or array.ndim not in (1, 2) or not array.size:
        raise ValueError(
            f"waveform of shape {array.shape} and {array.dtype}: expected floats (T,) or (C, T)"
        )
    if array.ndim == 2 and array.shape[0] > array.shape[1]:
        raise ValueError(f"waveform of shape {array.shape}: channels come first, (C, T)")
    return np.atleast_2d(array.astype(np.float32)).T
