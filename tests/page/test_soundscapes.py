"""Soundscapes on the page: audio that was kept or is made again as it was, and none that is another."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from raysed.config.data_job import DataJob
from raysed.data.build.soundscape_files import wav_bytes
from raysed.data.features.shards import read_manifest, write_manifest
from raysed.data.soundscapes.soundscape import SoundscapeContext, make_soundscape
from raysed.page import soundscapes
from raysed.page.soundscapes import soundscapes_of
from raysed.storage.folder import Folder
from tests.data.banks import tiny_job
from tests.data.small_sets import write_rows

NAME = "rir"


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> DataJob:
    return tiny_job(tmp_path_factory.mktemp("tiny") / "tree")


@pytest.fixture
def made(job, tmp_path):
    """The first soundscapes as a data set without waveforms, their job as a file, and the plan of a run on them."""
    (tmp_path / "job.yaml").write_text(
        yaml.safe_dump(job.model_dump(mode="json", exclude_none=True))
    )
    context = SoundscapeContext.from_job(job, NAME)
    clips = [clip for index in range(8) if (clip := make_soundscape(context, index))][:3]
    features = job.features
    rows = [(clip, np.ones((features.n_frames, features.n_mels), np.float32)) for clip in clips]
    folder = Folder(str(tmp_path / "set"))
    write_rows(
        folder,
        rows,
        features,
        tuple(sorted({e.event_label for c in clips for e in c.events or ()})),
    )
    manifest = read_manifest(folder)
    write_manifest(folder, manifest.model_copy(update={"job": {"set": {"kind": "synthetic"}}}))
    plan = SimpleNamespace(
        datasets=(SimpleNamespace(name=NAME, url=folder.url),),
        trainings=(SimpleNamespace(config={"data": {"synthetic": NAME}}),) * 2,
        job_file=str(tmp_path / "job.yaml"),
    )
    return plan, clips, folder


def test_they_are_made_again_to_the_bit(made, monkeypatch):
    plan, clips, _ = made
    heard = []
    monkeypatch.setattr(
        soundscapes, "audio_clip", lambda x_T, rate_hz: heard.append(x_T) or "data:"
    )
    (entry,) = soundscapes_of(plan)
    assert [clip["filename"] for clip in entry["clips"]] == [clip.filename for clip in clips]
    assert [len(clip["events"]) for clip in entry["clips"]] == [len(clip.events) for clip in clips]
    assert all(clip["picture"].startswith("data:image/png") for clip in entry["clips"])
    for ours, theirs in zip(heard, clips, strict=True):
        np.testing.assert_array_equal(ours, theirs.waveform_T)


def test_another_soundscape_is_not_heard_and_a_kept_one_is(made, job, tmp_path):
    plan, clips, folder = made
    content = yaml.safe_load((tmp_path / "job.yaml").read_text())
    content["sets"][NAME]["seed"] = 99
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(content))
    (entry,) = soundscapes_of(plan)
    assert [clip["audio"] for clip in entry["clips"]] == [None] * 3
    folder.child("wav").write(clips[1].filename, wav_bytes(clips[1].waveform_T, job.features))
    (entry,) = soundscapes_of(plan)
    kept = [bool(clip["audio"]) for clip in entry["clips"]]
    assert kept == [False, True, False]


def test_what_is_gone_or_recorded_is_left_out(made, tmp_path):
    plan, _, folder = made
    plan.job_file = str(tmp_path / "gone.yaml")
    (entry,) = soundscapes_of(plan)
    assert [clip["audio"] for clip in entry["clips"]] == [None] * 3
    manifest = read_manifest(folder)
    write_manifest(folder, manifest.model_copy(update={"job": {"set": {"kind": "recorded"}}}))
    assert soundscapes_of(plan) == []
    shutil.rmtree(tmp_path / "set")
    assert soundscapes_of(plan) == []
