"""`python -m raysed.data.pictures DATASET OUT.png`: a few clips of a data set, log-mel with the labels
over it.

The pictures show whether the labels lie where the sound is, whether reverberation is there, and whether a
clip is empty.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from raysed.config.data_job import Features
from raysed.data.features.mel import log_mel_db
from raysed.data.features.store import FeatureSet, open_dataset
from raysed.exit_codes import REFUSED

CLIPS = 4
_COLOURS = 48
# Height of a row of event bars, as a share of the height of the bands.
_ROW = 0.11


def clips_to_show(found: FeatureSet, count: int) -> list[int]:
    """Choose evenly spaced clips, of those with labels where there are any."""
    labelled = [n for n, labels in enumerate(found.weak_labels) if labels]
    clips = labelled or list(range(len(found)))
    places = np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int)
    return [clips[place] for place in places]


def draw(found: FeatureSet, clips: Sequence[int]) -> Figure:
    """Draw two clips a row: time in seconds, frequency in Hz, a bar for each event above the bands."""
    rows = -(-len(clips) // 2)
    figure = Figure(figsize=(10, 2.6 * rows), dpi=80, layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False)
    for axis, n in zip(axes.flat, clips, strict=False):
        draw_clip(axis, found, n)
    for axis in axes.flat[len(clips) :]:
        axis.set_visible(False)
    figure.suptitle(f"{found.name} ({len(found)} clips)", fontsize=10)
    return figure


def draw_clip(axis: Axes, found: FeatureSet, n: int) -> None:
    """Draw one clip: its log-mel, with its events as bars over it or its weak labels in the title."""
    features = found.features
    frames = int(found.frames[n])
    db_TF = log_mel_db(found.mels[n][:frames].astype(np.float32), features)[:frames]
    hop_s = features.hop / features.sample_rate_hz
    extent = (0.0, frames * hop_s, 0.0, float(features.n_mels))
    axis.imshow(db_TF.T, origin="lower", aspect="auto", extent=extent, cmap="magma")
    _label_bands(axis, features)
    axis.set_xlim(0, features.duration_s)
    events = found.events[n]
    rows = {label: row for row, label in enumerate(sorted({e.event_label for e in events or ()}))}
    for event in events or ():
        height = features.n_mels * (1.05 + _ROW * rows[event.event_label])
        axis.hlines(height, event.onset, event.offset, color="black", linewidth=3)
        edges = (event.onset, event.offset)
        axis.vlines(edges, 0, features.n_mels, color="white", linewidth=0.8, linestyle=":")
    for label, row in rows.items():
        place = features.n_mels * (1.05 + _ROW * row)
        axis.text(-0.01 * features.duration_s, place, label, fontsize=6, ha="right", va="center")
    axis.set_ylim(0, features.n_mels * (1 + _ROW * len(rows)))
    axis.set_title(_title(found, n), fontsize=7, loc="right")


def _title(found: FeatureSet, n: int) -> str:
    weak = found.weak_labels[n]
    if found.events[n] is not None or weak is None:
        return found.filenames[n]
    return f"{found.filenames[n]}: {', '.join(weak) or 'nothing'}"


def _label_bands(axis: Axes, features: Features) -> None:
    """Label the axis with the frequencies at every quarter of the bands."""
    bands = np.linspace(0, features.n_mels, 5)
    low, high = (_slaney_mel(hz) for hz in (features.low_hz, features.high_hz))
    hertz = [_slaney_hz(low + (high - low) * band / features.n_mels) for band in bands]
    axis.set_yticks(bands, [f"{hz:.0f}" for hz in hertz])
    axis.tick_params(labelsize=6)
    axis.set_ylabel("Hz", fontsize=6)


def _slaney_mel(hz: float) -> float:
    """Convert Hz to Slaney's mel scale: linear to 1 kHz, logarithmic above."""
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * float(np.log(hz / 1000) / np.log(6.4))


def _slaney_hz(mel: float) -> float:
    return 200 * mel / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def as_image(figure: Figure) -> Image.Image:
    """Return a figure as an image, which notebooks show."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def save_small(figure: Figure, path: Path) -> None:
    """Write a PNG with few colours: a quarter of the size, without a visible difference."""
    image = as_image(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(_COLOURS).save(path, optimize=True)


def pictures(
    dataset: Annotated[str, typer.Argument(help="Folder or URL of a finished data set.")],
    out: Annotated[Path, typer.Argument(help="The PNG to write.")],
    clips: Annotated[int, typer.Option(min=1, help="How many clips.")] = CLIPS,
) -> None:
    """Draw a few clips of a data set, log-mel with the labels over it."""
    with tempfile.TemporaryDirectory(prefix="raysed-pictures-") as cache:
        try:
            found = open_dataset(dataset, cache)
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(REFUSED) from error
        save_small(draw(found, clips_to_show(found, clips)), out)


if __name__ == "__main__":
    typer.run(pictures)
