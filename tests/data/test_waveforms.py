"""Waveforms from audio files through shards to what training reads; without Ray."""

from pathlib import Path

import numpy as np
import soundfile
import yaml

from raysed.config.data_job import DataJob, Features
from raysed.config.reader import ConfigError
from raysed.config.space import read_space
from raysed.data.build.dataset_plan import plan
from raysed.data.build.resume import record
from raysed.data.build.stages import ShardWriter, make_clips, target
from raysed.data.features.mel import mel_amplitude
from raysed.data.features.store import open_dataset
from tests.data.recorded_tree import FEATURES, weak_job, write_tree

WITH = FEATURES.model_copy(update={"waveforms": True})


def build(job: DataJob) -> str:
    """Every shard of the job's only set, one after the other."""
    (p,) = plan(job)
    writer = ShardWriter("torchaudio", job.features, batch=job.shard_clips, device_id=None)
    record(p, [writer.write(target(p, shard), make_clips(p.source, shard)) for shard in p.shards])
    return p.url


def test_the_samples_of_the_files_come_back(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "dataset")
    found = open_dataset(build(weak_job(tree, tmp_path / "out", features=WITH)), tmp_path / "cache")
    assert found.features == WITH and found.waveforms is not None
    assert [len(waveform_T) for waveform_T in found.waveforms[:2]] == [9000, 16000]
    for name, waveform_T, mel_TF, frames in zip(
        found.filenames, found.waveforms, found.mels, found.frames, strict=True
    ):
        samples_T, _ = soundfile.read(tree / "audio/train/weak" / name, dtype="float32")
        assert waveform_T.dtype == np.float16
        error_db = 10 * np.log10(np.mean(np.square(waveform_T - samples_T) / np.mean(samples_T**2)))
        assert error_db < -70
        again_TF = mel_amplitude(waveform_T, WITH)
        np.testing.assert_allclose(mel_TF[:frames], again_TF, rtol=2e-3, atol=2e-2)


def test_only_sets_with_waveforms_have_another_identity(tmp_path: Path) -> None:
    assert Features().identity() == {}
    tree = write_tree(tmp_path / "dataset")
    (without,), (with_them,) = (
        plan(weak_job(tree, tmp_path, features=features)) for features in (FEATURES, WITH)
    )
    assert without.id != with_them.id


def test_a_space_that_needs_waveforms_names_the_job_that_has_none(tmp_path: Path) -> None:
    strong = {"kind": "recorded", "subset": "validation"}
    job = {
        "name": "mels_only",
        "out": "out",
        "roots": {"recorded": "r"},
        "sets": {"weak": {"kind": "recorded", "subset": "weak"}, "strong": strong},
    }
    space = {
        "name": "tiny",
        "data_job": str(tmp_path / "job.yaml"),
        "run": "run",
        "seeds": [0],
        "base": {
            "data": {"weak": "weak", "evaluation": ["strong"]},
            "shares": {"synthetic": 0, "unlabelled": 0, "weak": 4},
            "teacher": {"noise_domain": "waveform"},
        },
        "cells": [{"id": "a", "table": "4", "column": "30 dB", "xvalid": "strong"}],
    }
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))

    def faults(features: dict[str, bool]) -> list[str]:
        (tmp_path / "job.yaml").write_text(yaml.safe_dump({**job, "features": features}))
        try:
            read_space(tmp_path / "space.yaml")
        except ConfigError as error:
            return error.faults
        return []

    (fault,) = faults({})
    assert "teacher.noise_domain is waveform" in fault
    assert "features.waveforms: true in the data job mels_only" in fault
    assert faults({"waveforms": True}) == []
