"""`raysed.open_dataset`: a data set that `raysed data` built, as torch Dataset, as DataFrame, to hear and to see."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch.utils.data import Dataset

from raysed.data.audio import read_audio
from raysed.data.features.shards import decode_shard, read_manifest, read_shard
from raysed.data.features.store import FeatureSet, open_dataset, strong_labels
from raysed.data.pictures import as_image, draw
from raysed.page.stored import recording
from raysed.storage.folder import Folder
from raysed.storage.node_cache import cache_dir

if TYPE_CHECKING:
    from PIL.Image import Image


class ClipDataset(Dataset[dict[str, Any]]):
    """The clips of a data set; item n is a dictionary of its mel, its labels and its name."""

    def __init__(self, url: str, found: FeatureSet, recordings: Path | None) -> None:
        self._url, self._found, self._recordings = url, found, recordings

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the labels' columns."""
        return self._found.classes

    @property
    def sample_rate(self) -> int:
        """The rate that features and audio have, in Hz."""
        return self._found.features.sample_rate_hz

    def __len__(self) -> int:
        """Return the number of clips (of long recordings: of their windows)."""
        return len(self._found)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return filename, mel (T, F) float32 amplitude, frames that are the clip's own, and the labels that it has:
        strong (T, K), weak (K,).
        """
        found, n = self._found, self._place(index)
        item: dict[str, Any] = {
            "filename": found.filenames[n],
            "mel": torch.from_numpy(found.mel([n])[0].astype(np.float32)),
            "frames": int(found.frames[n]),
        }
        if found.events[n] is not None and found.starts is None:
            strong_TK = strong_labels(found.events[n] or (), found.classes, found.features, 1)
            item["strong"] = torch.from_numpy(strong_TK.astype(np.float32))
        if (weak := found.weak_labels[n]) is not None:
            item["weak"] = torch.tensor([float(label in weak) for label in found.classes])
        return item

    @property
    def frame(self) -> pd.DataFrame:
        """One row a clip: filename, duration_s, events (number; NaN where it has no strong labels), weak_labels."""
        found = self._found
        return pd.DataFrame(
            {
                "filename": found.filenames,
                "duration_s": found.durations_s,
                "events": [None if e is None else len(e) for e in found.events],
                "weak_labels": [None if w is None else ",".join(w) for w in found.weak_labels],
            }
        )

    @property
    def events(self) -> pd.DataFrame:
        """One row an event: filename, onset, offset (seconds), event_label; what `raysed.score` takes as truth."""
        found = self._found
        rows = [
            (found.filenames[n], event.onset, event.offset, event.event_label)
            for n in found.recordings
            for event in found.events[n] or ()
        ]
        return pd.DataFrame(rows, columns=pd.Index(["filename", "onset", "offset", "event_label"]))

    def audio(self, n: int) -> tuple[np.ndarray, int]:
        """Return the waveform (T,) float32 of a clip and its rate in Hz.

        It comes from the stored waveform, the exported file or the recording. Raises ValueError where none is at hand.
        """
        found, n = self._found, self._place(n)
        if found.waveforms is not None:
            return found.waveforms[n].astype(np.float32), self.sample_rate
        exported = Path(self._url, "wav", found.filenames[n])
        path = exported if exported.is_file() else recording(self._recordings, self._source(n))
        if path is None:
            raise ValueError(
                f"{found.filenames[n]}: no audio at hand. Of a recording, give open_dataset the folder that the job's root"
                " names, recordings=...; of a soundscape, build the set with export: [wav], or any set with"
                " features.waveforms"
            )
        return read_audio(path, self.sample_rate, found.features.duration_s)[0], self.sample_rate

    def picture(self, *clips: int) -> "Image":
        """Return an image of clips: log-mel, with their events as bars over it. Notebooks show it, `.save` keeps it."""
        return as_image(draw(self._found, [self._place(n) for n in clips]))

    def _place(self, index: int) -> int:
        """Return the number of a clip that may be counted from the end. Raises IndexError for one that is not there."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)}")
        return index % len(self)

    def _source(self, n: int) -> str | None:
        """Return where a clip came from, as its shard tells."""
        folder = Folder(self._url)
        manifest = read_manifest(folder)
        assert manifest is not None, "it was read when the set was opened"
        for entry in manifest.shards:
            if n < entry.rows:
                return decode_shard(read_shard(folder, entry))["source"][n].as_py()
            n -= entry.rows
        raise IndexError(n)


def open_clips(
    url: str | Path, recordings: str | Path | None = None, cache: str | Path | None = None
) -> ClipDataset:
    """Open a finished data set by the folder or URL of its manifest.

    `recordings` is the root that its clips were read from, for `audio`. `cache` is where shards are converted to once,
    by default raysed's cache. Raises ValueError for a folder without a finished data set.
    """
    found = open_dataset(str(url), cache or cache_dir())
    return ClipDataset(str(url), found, None if recordings is None else Path(recordings))
