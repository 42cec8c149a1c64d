"""Bad input: refused before work, or quarantined by name while the job goes on; nothing is lost."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.data_job import DataJob, Roots
from raysed.data.build.dataset_plan import Shard, plan
from raysed.data.build.job import build
from raysed.data.build.source import open_source
from raysed.data.build.stages import ShardClips, make_clips
from raysed.data.features.store import open_dataset
from tests.data.bad_files import write_bad_files
from tests.data.banks import edge_job, write_audio, write_edge_bank
from tests.data.recorded_tree import weak_job

BANK = "synthetic/audio/train/soundbank"


def write_weak(root: Path, names: list[str]) -> None:
    tsv = root / "metadata/train/weak.tsv"
    tsv.parent.mkdir(parents=True, exist_ok=True)
    tsv.write_text("\n".join(["filename\tevent_labels", *(f"{n}\tDog" for n in names), ""]))


@pytest.mark.ray
def test_recorded_files_of_every_fault(tmp_path: Path, ray_session: None) -> None:
    root = tmp_path / "dataset"
    bad = write_bad_files(root / "audio/train/weak")
    names = sorted(path.name for path in (root / "audio/train/weak").iterdir())
    write_weak(root, names)
    job = weak_job(root, tmp_path / "out", shard_clips=4)
    # Labels of a whole long clip do not say which of its windows hold the sound.
    with pytest.raises(ValueError, match=r"hours\.wav lasts 10800\.0 s"):
        build(job, workers=2)
    names.remove("hours.wav")
    write_weak(root, names)
    result = build(job, workers=2)["weak"]
    assert (result.clips, result.quarantined, result.over_limit) == (5, 5, True)
    rows = (Path(result.url) / "quarantine.tsv").read_text().splitlines()[1:]
    reasons = dict(row.split("\t") for row in rows)
    assert set(reasons) == bad
    # slow.wav
    told = "weak: 1 clip made now with audio at less than 16000 Hz: nothing of it above half its own rate"
    assert told in result.warnings
    for name, reason in reasons.items():
        assert f"audio/train/weak/{name}" in reason and str(tmp_path) not in reason
    assert "not finite" in reasons["nan.wav"] and "no samples" in reasons["nosamples.wav"]
    found = open_dataset(result.url, tmp_path / "cache")
    durations_s = dict(zip(found.filenames, found.durations_s.tolist(), strict=True))
    assert durations_s == {
        "eight.wav": 1.0,
        "fast.wav": 1.0,
        "plain.wav": 1.0,
        "short.wav": 1 / 16000,
        "slow.wav": 1.0,
    }
    frames = dict(zip(found.filenames, found.frames.tolist(), strict=True))
    assert frames.pop("short.wav") == 1 and set(frames.values()) == {found.features.n_frames}


def made_of(job: DataJob) -> ShardClips:
    """All soundscapes of the set, without Ray."""
    source = open_source(job, "soundscapes", ("Dog", "Frying", "Speech"))
    return make_clips(source, Shard("s", 0, source.count))


def test_foregrounds_of_every_fault(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path)
    bad = write_bad_files(tmp_path / BANK / "foreground/Dog")
    made = made_of(edge_job(roots, count=60, max_polyphony=9))
    assert len(made.clips) + len(made.rejected) == 60
    culprits = {name for r in made.rejected for name in bad if f"/Dog/{name}" in r.reason}
    assert culprits == bad
    assert all(any(name in r.reason for name in bad) for r in made.rejected)
    assert not any(str(tmp_path) in r.reason for r in made.rejected)
    used = {e["source_file"] for c in made.clips for e in json.loads(c.source)["events"]}
    assert used >= {"eight.wav", "fast.wav", "hours.wav", "slow.wav", "plain.wav"}
    assert not used & bad
    assert all(np.isfinite(clip.waveform_T).all() for clip in made.clips)
    for clip in made.clips:
        sounds = {e["source_file"] for e in json.loads(clip.source)["events"]}
        assert clip.is_lower_rate == ("slow.wav" in sounds)


def test_backgrounds_of_every_fault(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path)
    bad = write_bad_files(tmp_path / BANK / "background/street")
    made = made_of(edge_job(roots, count=60, max_polyphony=9))
    assert len(made.clips) + len(made.rejected) == 60
    assert {name for r in made.rejected for name in bad if name in r.reason} == bad
    # Shorter than the clip: repeated, as Scaper does.
    used = {json.loads(clip.source)["events"][0]["source_file"] for clip in made.clips}
    assert used >= {"short.wav", "short_0.wav", "eight.wav", "hours.wav"}
    assert {len(clip.waveform_T) for clip in made.clips} == {160000}


def test_impulse_responses_longer_than_the_clip_and_broken_ones(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path)
    write_audio(tmp_path / "rir/train/long.wav", 12.5)
    (tmp_path / "rir/train/broken.wav").write_bytes(b"RIFF")
    roots = Roots(**{**roots.model_dump(), "rir": str(tmp_path / "rir")})
    made = made_of(edge_job(roots, count=10, max_polyphony=9, reverb="rir"))
    assert len(made.clips) == len(made.rejected) == 5
    assert all("train/broken.wav: cannot be read" in r.reason for r in made.rejected)
    for clip in made.clips:
        assert clip.waveform_T.shape == (160000,) and np.isfinite(clip.waveform_T).all()


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "a/../../b.wav", "a\\b.wav"])
def test_names_that_leave_the_root_are_refused_before_work(tmp_path: Path, name: str) -> None:
    root = tmp_path / "dataset"
    write_audio(root / "audio/train/weak/good.wav", 1.0)
    write_weak(root, ["good.wav", name])
    with pytest.raises(ValueError, match=r"weak\.tsv.*\n.*line 3: .*leaves its folder"):
        build(weak_job(root, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_what_cannot_work_is_refused_before_work(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path)
    out = tmp_path / "out"

    def refused(message: str, job: DataJob) -> None:
        with pytest.raises(ValueError, match=message):
            build(job)
        assert not out.exists()

    good = edge_job(roots).model_copy(update={"out": str(out)})
    assert plan(good)[0].clips == 30
    refused("memory://", good.model_copy(update={"out": "memory://sets"}))
    occurrences = tmp_path / "event_occurences_train.json"
    content = json.loads(occurrences.read_text())
    content["Dog"]["co-occurences"]["probas"] = [0.5, 0.3, 0.1]
    (tmp_path / "bad.json").write_text(json.dumps(content))
    bad = Roots(**{**roots.model_dump(), "cooccurrences": str(tmp_path / "bad.json")})
    refused(
        r"bad\.json, label 'Dog': the probas sum to 0.9", good.model_copy(update={"roots": bad})
    )
    write_audio(tmp_path / BANK / "foreground/Dog_nof/a_0.wav", 1.0)
    refused("'Dog_nof' has an unknown suffix", good)


def test_a_silent_foreground_is_quarantined_by_name(tmp_path: Path) -> None:
    """A label that stands for no sound is wrong; zeros before and after a sound are not."""
    roots = write_edge_bank(tmp_path)
    folder = tmp_path / BANK / "foreground/Dog"
    for path in folder.iterdir():
        path.unlink()
    soundfile.write(folder / "silent.wav", np.zeros(32000), 16000)
    padded_T = np.zeros(32000)
    padded_T[16000:] = np.random.default_rng(1).uniform(-0.5, 0.5, 16000)
    soundfile.write(folder / "padded.wav", padded_T, 16000)
    made = made_of(edge_job(roots, count=30, max_polyphony=9))
    assert len(made.clips) + len(made.rejected) == 30 and made.rejected and made.clips
    assert all("/Dog/silent.wav: is silent" in rejected.reason for rejected in made.rejected)
    used = {e["source_file"] for c in made.clips for e in json.loads(c.source)["events"]}
    assert "padded.wav" in used and "silent.wav" not in used
