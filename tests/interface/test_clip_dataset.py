"""A data set as torch Dataset and as DataFrame."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from raysed.data.features.store import open_dataset
from raysed.interface.clip_dataset import open_clips


def opened(demo, tmp_path, name, **more):
    (folder,) = Path(demo, "data").glob(f"{name}-*")
    return open_clips(folder, cache=tmp_path, **more), open_dataset(str(folder), tmp_path)


def test_items_are_what_training_reads(demo, tmp_path):
    clips, stored = opened(demo, tmp_path, "validation")
    assert len(clips) == len(stored) == 12
    item = clips[3]
    assert item["filename"] == stored.filenames[3]
    assert np.array_equal(item["mel"], stored.mels[3].astype(np.float32))
    assert np.array_equal(item["strong"], stored.strong_NTK(1)[3])
    assert np.array_equal(item["weak"], stored.weak_NK[3])
    assert clips[-1]["filename"] == stored.filenames[-1]
    with pytest.raises(IndexError):
        clips[12]
    batch = next(iter(DataLoader(clips, batch_size=5)))
    assert batch["mel"].shape == (5, 63, 8) and isinstance(batch["strong"], torch.Tensor)


def test_unlabelled_clips_have_no_labels(demo, tmp_path):
    clips, _ = opened(demo, tmp_path, "unlabelled")
    assert {*clips[0]} == {"filename", "mel", "frames"}
    assert clips.frame.events.isna().all() and len(clips.events) == 0


def test_frames_count_clips_and_events(demo, tmp_path):
    clips, stored = opened(demo, tmp_path, "validation")
    assert clips.frame.events.sum() == len(clips.events) == sum(map(len, stored.events))
    assert list(clips.events.columns) == ["filename", "onset", "offset", "event_label"]
    assert {*clips.events.event_label} <= {*clips.classes}


def test_audio_of_a_recording_and_pictures(demo, tmp_path):
    weak, _ = opened(demo, tmp_path, "weak", recordings=demo / "data/demo_tree/dataset")
    waveform_T, rate_hz = weak.audio(-1)
    assert waveform_T.dtype == np.float32 and len(waveform_T) == 2 * rate_hz == 2 * weak.sample_rate
    assert weak.picture(0, 1, -1).size == (800, 416)
    silent, _ = opened(demo, tmp_path, "validation")
    with pytest.raises(ValueError, match=r"no audio at hand.*export: \[wav\]"):
        silent.audio(0)


def test_clips_that_are_not_there_are_refused_everywhere(demo, tmp_path):
    """A picture showed another clip."""
    weak, _ = opened(demo, tmp_path, "weak")
    for n in (len(weak), -len(weak) - 1):
        for read in (weak.__getitem__, weak.picture, weak.audio):
            with pytest.raises(IndexError, match=f"clip {n} of {len(weak)}"):
                read(n)
