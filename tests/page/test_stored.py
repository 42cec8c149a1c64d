"""Clips as their data set holds them, and why the page goes without."""

import json
from pathlib import Path

import numpy as np
import soundfile

from raysed.page.media import mel_picture
from raysed.page.stored import recording, stored_clips
from raysed.storage.folder import Folder, ReadDeniedError
from tests.data.small_sets import FEATURES as SMALL
from tests.data.small_sets import clips_of, write_set
from tests.page.made_up import FEATURES, MadeUp, reference, write_dataset


def test_the_wanted_clips_are_found_in_any_shard(tmp_path):
    found, missing = stored_clips(
        write_set(tmp_path / "set"), {"clip1.wav", "clip4.wav", "no"}, None
    )
    assert missing is None and list(found) == ["clip1.wav", "clip4.wav"]
    # Its own frames, of which the second clip has half.
    rows = {clip.filename: (clip, mel_TF) for clip, mel_TF in clips_of("synthetic")}
    for name, clip in found.items():
        stored, mel_TF = rows[name]
        assert clip["events"] == [[1, 0.1, 0.4]] and stored.weak_labels == ("Dog",)
        assert clip["span_s"] == len(mel_TF) * 400 / 16000
        assert clip["band_hz"] == [0, 8000] and clip["audio"] is None
        assert clip["picture"] == mel_picture(mel_TF.astype(np.float16), len(mel_TF), SMALL)


def test_clips_without_strong_labels_have_no_events(tmp_path):
    found, _ = stored_clips(write_set(tmp_path / "set", "weak"), {"clip0.wav"}, None)
    assert found["clip0.wav"]["events"] == []


def test_why_a_data_set_cannot_be_shown(tmp_path, monkeypatch):
    wanted = {"clip0.wav", "clip4.wav"}
    assert stored_clips(None, wanted, None) == (
        {},
        "the run's plan does not say where the data set is",
    )
    nowhere = stored_clips(str(tmp_path / "gone"), wanted, None)
    assert nowhere == ({}, "the data set is not where the run left it")
    url = write_set(tmp_path / "set")
    (tmp_path / "set" / "shard-00001.parquet").unlink()
    found, missing = stored_clips(url, wanted, None)
    # What was read before the fault is shown all the same.
    assert list(found) == ["clip0.wav"]
    assert missing is not None and missing.startswith("the data set cannot be read (shard-00001")
    (tmp_path / "set" / "manifest.json").write_text("{}")
    _, missing = stored_clips(url, wanted, None)
    assert missing is not None and "(manifest.json: is not a manifest" in missing

    def denied(self: Folder, name: str) -> bytes:
        raise ReadDeniedError(f"{self.url}/{name}: reading is denied")

    monkeypatch.setattr(Folder, "read", denied)
    _, missing = stored_clips(url, wanted, None)
    assert missing == "the data set cannot be read (manifest.json: reading is denied)"
    assert str(tmp_path) not in missing


def test_audio_comes_from_stored_waveforms_or_from_inside_the_root(tmp_path):
    truth = reference(MadeUp(clips=2))
    wanted = set(truth.filenames)
    stored = write_dataset(
        tmp_path / "with", truth, FEATURES.model_copy(update={"waveforms": True})
    )
    found, missing = stored_clips(stored, wanted, None)
    assert missing is None
    assert all(clip["audio"].startswith("data:audio/ogg;base64,") for clip in found.values())

    root = tmp_path / "root"
    root.mkdir()
    soundfile.write(root / "a.wav", np.zeros(16000, np.float32), 16000)
    soundfile.write(tmp_path / "secret.wav", np.zeros(16000, np.float32), 16000)
    inside = write_dataset(tmp_path / "in", truth, source=json.dumps({"file": "a.wav"}))
    outside = write_dataset(tmp_path / "out", truth, source=json.dumps({"file": "../secret.wav"}))
    assert all(c["audio"] for c in stored_clips(inside, wanted, root)[0].values())
    assert not any(c["audio"] for c in stored_clips(outside, wanted, root)[0].values())
    assert recording(root, json.dumps({"file": str(tmp_path / "secret.wav")})) is None
    assert recording(root, '{"soundscape": 1}') is None


def test_a_recording_that_has_gone_bad_costs_its_audio_alone(tmp_path):
    (tmp_path / "a.wav").write_text("no audio any more")
    truth = reference(MadeUp(clips=1))
    url = write_dataset(tmp_path / "set", truth, source=json.dumps({"file": "a.wav"}))
    (clip,) = stored_clips(url, set(truth.filenames), tmp_path)[0].values()
    assert clip["audio"] is None and clip["picture"] and clip["events"]


def test_recordings_lie_inside_the_root_or_nowhere(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "audio").mkdir(parents=True)
    (root / "audio/a.wav").write_bytes(b"")
    (tmp_path / "secret.wav").write_bytes(b"")
    (root / "link.wav").symlink_to(tmp_path / "secret.wav")

    def found(file: object) -> Path | None:
        return recording(root, json.dumps({"file": file}))

    assert found("audio/a.wav") == found("audio/../audio/a.wav") == root / "audio/a.wav"
    outside = ["../secret.wav", str(tmp_path / "secret.wav"), "link.wav"]
    assert [found(name) for name in (*outside, "audio", "audio/b.wav", 3)] == [None] * 6
    assert recording(root, None) is recording(None, json.dumps({"file": "audio/a.wav"})) is None
