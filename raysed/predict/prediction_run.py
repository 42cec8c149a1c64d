"""The work of `raysed predict`: it finds recordings, predicts, writes, and reports what became of each
recording.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raysed import __version__
from raysed.data.stream import LOWER_RATE
from raysed.exit_codes import DONE, HOLES, REFUSED
from raysed.predict.detector import Detector, Network, load_detector, split_path, with_settings
from raysed.predict.method_settings import is_name, settings_of
from raysed.predict.output import EventWriter, Format, write_scores
from raysed.predict.recordings import Prediction, RecordingScores, predict
from raysed.predict.settings import ClassPostProcessing, events, parse_settings
from raysed.predict.sources import Found, Recording, find_sources, refuse_shared_outputs
from raysed.storage.url import masked, masked_in


@dataclass(frozen=True)
class PredictRequest:
    """A user's request to `raysed predict`."""

    checkpoint: str
    audio: tuple[str, ...]
    out: str | None = None
    """The output; a folder gets a file for each recording, None means standard output."""
    form: Format = "tsv"
    scores: str | None = None
    """A folder for frame scores."""
    thresholds: tuple[str, ...] = ()
    """`0.4` or `Speech=0.4`."""
    postprocessing: str | None = None
    """A method's name, or a settings file, that goes before the checkpoint's own."""
    network: Network | None = None
    encoder: str | None = None
    """The file of the encoder whose rows the network takes."""
    workers: int = 1
    address: str | None = None


@dataclass
class Summary:
    """The outcome of all recordings."""

    predicted: int = 0
    events: int = 0
    audio_s: float = 0.0
    wall_s: float = 0.0
    lower_rate: int = 0
    """Recordings at a lower rate than the model's."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason of each recording that was skipped."""

    @property
    def code(self) -> int:
        """Return the exit code: 0 if all were predicted, 3 if some were, 2 if none was."""
        if not self.predicted:
            return REFUSED
        return HOLES if self.skipped else DONE

    def line(self, device: str) -> str:
        """Return one line for people."""
        speed = ""
        if self.audio_s and self.wall_s:
            speed = (
                f": {self.audio_s / self.wall_s:.1f} times real time (real-time factor "
                f"{self.wall_s / self.audio_s:.5f}) on {device}"
            )
        noun = "recording" if self.predicted == 1 else "recordings"
        return (
            f"{self.predicted} {noun}, {self.audio_s / 3600:.3f} h, {self.events} events in "
            f"{self.wall_s:.1f} s{speed}; {len(self.skipped)} skipped"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "recordings": self.predicted,
            "audio_s": self.audio_s,
            "wall_s": self.wall_s,
            "real_time_factor": self.wall_s / self.audio_s if self.audio_s else None,
            "skipped": [{"path": path, "reason": reason} for path, reason in self.skipped],
        }


def run(request: PredictRequest, say: Callable[[str], None]) -> int:
    """Predict all recordings; return the exit code. Raises ValueError before work for wrong input."""
    found = find_sources(request.audio)
    if request.scores:
        refuse_shared_outputs(found.sources, request.scores, ".tsv")
    plan = EventWriter(request.out, request.form, found.sources)
    written = [*plan.files(found.sources), *([plan.sidecar] if plan.sidecar else [])]
    _refuse_overwriting(request, found.sources, written)
    detector = _detector(request)
    made_by = detector.settings.as_json()
    writer = EventWriter(request.out, request.form, found.sources, made_by)
    summary = Summary()
    for note in found.notes:
        say(f"note: {note}")
    for place, reason in found.skipped:
        _skip(summary, place, reason, say)
    started = time.perf_counter()
    for prediction in _predictions(detector, found, request):
        if prediction.scores is None:
            _skip(summary, prediction.source.shown, masked_in(prediction.reason), say)
            continue
        _tell_notes(prediction, summary, say)
        _write(prediction, prediction.scores, detector, request, (writer, summary))
    summary.wall_s = time.perf_counter() - started
    if summary.predicted or request.form == "json":
        about = {
            "checkpoint": masked(request.checkpoint),
            "network": detector.name,
            "raysed": __version__,
            "postprocessing": made_by,
            "left_out": list(found.notes),
        }
        writer.close(about | summary.as_json())
    if summary.lower_rate:
        say(
            f"note: {summary.lower_rate} of {summary.predicted} recordings are {LOWER_RATE}: "
            "they hold nothing above half their own"
        )
    say(f"post-processing: {detector.settings}")
    say(summary.line(detector.device if request.workers == 1 else f"{request.workers} workers"))
    return summary.code


def _refuse_overwriting(
    request: PredictRequest, sources: Sequence[Recording], events: Sequence[Path]
) -> None:
    """Raise ValueError where a file that is read, or the other of events and scores, would be lost."""
    scores = [Path(request.scores, s.output(".tsv")) for s in sources] if request.scores else []
    settings = [request.postprocessing] if request.postprocessing else []
    read = {str(Path(path).resolve()) for path in (request.checkpoint, *settings)}
    read |= {source.url for source in sources}
    for path, times in Counter(str(path.resolve()) for path in (*events, *scores)).items():
        if path in read:
            raise ValueError(f"{path}: --out or --scores would overwrite what is read")
        if times > 1:
            raise ValueError(f"{path}: --out and --scores would both write it; give two folders")


def _detector(request: PredictRequest) -> Detector:
    """Read the checkpoint, with the user's post-processing."""
    detector = load_detector(request.checkpoint, request.network, encoder=request.encoder)
    settings = detector.settings
    if request.postprocessing and is_name(request.postprocessing):
        settings = settings_of(request.postprocessing, settings, detector.trained)
    elif request.postprocessing:
        settings = read_settings(request.postprocessing, settings)
    return with_settings(detector, settings.with_thresholds(request.thresholds))


def read_settings(path: str, settings: ClassPostProcessing) -> ClassPostProcessing:
    """Return `settings` changed by a settings file, given by path or URL."""
    folder, name = split_path(path)
    content, path = folder.read(name), masked(path)
    if content is None:
        raise ValueError(f"{path}: no such file")
    return settings.updated(parse_settings(content, path), path)


def _predictions(detector: Detector, found: Found, request: PredictRequest) -> Iterator[Prediction]:
    if request.workers == 1 or not found.sources:
        return predict(detector, found.sources)
    # Ray takes a second to load, and is not needed for one process.
    from raysed.predict.parallel import predict_over_ray

    return predict_over_ray(
        detector, found.sources, workers=request.workers, address=request.address
    )


def _write(
    prediction: Prediction,
    scores: RecordingScores,
    detector: Detector,
    request: PredictRequest,
    to: tuple[EventWriter, Summary],
) -> None:
    writer, summary = to
    found = events(scores.scores_TK, scores.edge_T1, detector.settings)
    writer.write(prediction.source, found, scores.duration_s, list(prediction.notes))
    if request.scores:
        write_scores(request.scores, prediction.source, scores, detector.classes)
    summary.predicted += 1
    summary.events += len(found)
    summary.audio_s += scores.duration_s


def _tell_notes(prediction: Prediction, summary: Summary, say: Callable[[str], None]) -> None:
    """Say what is odd about a recording; a lower rate, which is often that of all, is counted and told once."""
    summary.lower_rate += bool(prediction.lower_rate)
    for note in prediction.notes:
        if note != prediction.lower_rate:
            say(f"note: {prediction.source.shown}: {note}")


def _skip(summary: Summary, path: str, reason: str, say: Callable[[str], None]) -> None:
    summary.skipped.append((path, reason))
    say(f"skipped: {path}: {reason}")
