"""The two stages of a shard without Ray: what becomes of every raw clip, and what its file holds."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from raysed.config.data_job import Features
from raysed.data.build.dataset_plan import Shard, plan
from raysed.data.build.stages import (
    ShardClips,
    ShardWriter,
    Target,
    embed_or_reason,
    make_clips,
    noticed,
    target,
)
from raysed.data.clip import Clip, Event, Rejected
from raysed.data.features.mel import mel_amplitude
from raysed.data.features.shards import sha256
from raysed.data.features.store import open_dataset
from tests.data.banks import edge_job, write_edge_bank
from tests.data.recorded_tree import FEATURES, build_alone, weak_job, write_tree
from tests.paths import ROOT

_MAKER = """
import sys
from pathlib import Path
import raysed.data.build.job
from raysed.data.build.dataset_plan import plan
from raysed.data.build.stages import make_clips
from tests.data.recorded_tree import weak_job, write_tree
root = Path(sys.argv[1])
(planned,) = plan(weak_job(write_tree(root / "dataset"), root / "out", mel="torchaudio"))
assert len(make_clips(planned.source, planned.shards[0]).clips) == 2
sys.exit("torch" in sys.modules)
"""


def test_a_process_that_makes_clips_does_without_torch(tmp_path: Path) -> None:
    """It would cost each of them, and their driver, 1.5 CPU seconds and 440 MB."""
    subprocess.run([sys.executable, "-c", _MAKER, str(tmp_path)], cwd=ROOT, check=True)


def clip_of(name: str, waveform_T: np.ndarray) -> Clip:
    return Clip(name, waveform_T.astype(np.float32), 1.0, None, ("Dog",), "{}")


def noise(seed: int = 0, samples: int = 16000) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples)


@dataclass(frozen=True)
class Listed:
    """A source of what each raw clip becomes: a clip, None (dropped) or the reason of its refusal."""

    outcomes: tuple[Clip | str | None, ...]

    def filename(self, index: int) -> str:
        return f"{index}.wav"

    def make(self, index: int) -> tuple[Clip, ...]:
        outcome = self.outcomes[index]
        if isinstance(outcome, str):
            raise ValueError(f"/home/{outcome}")
        return () if outcome is None else (outcome,)

    def reason(self, error: ValueError) -> str:
        return str(error).removeprefix("/home/")


def test_clips_of_events_after_their_end_are_counted() -> None:
    """As where onsets are milliseconds: nothing could be learnt of them, and each would count as missed."""
    clip = clip_of("a.wav", noise())  # of 1 s
    late, over = Event(1.0, 1.5, "Dog"), Event(0.9, 5.0, "Dog")
    clips = [replace(clip, events=(over, late, late)), replace(clip, events=(over,)), clip]
    assert noticed([*clips, replace(clip, is_lower_rate=True)]) == {"unheard": 1, "lower_rate": 1}


def test_every_raw_clip_of_a_shard_is_made_dropped_or_rejected() -> None:
    first, last = clip_of("1.wav", noise(1)), clip_of("5.wav", noise(5))
    source = Listed(("not of this shard", first, None, "broken", None, last, "nor this"))
    assert make_clips(source, Shard("s", 1, 6)) == ShardClips(
        clips=(first, last), rejected=(Rejected("3.wav", "broken"),), dropped=2
    )


def test_other_errors_than_bad_input_are_not_swallowed() -> None:
    class Broken(Listed):
        def make(self, index: int) -> tuple[Clip, ...]:
            raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError, match="a fault of ours"):
        make_clips(Broken(()), Shard("s", 0, 1))


def written(folder: Path, made: ShardClips, features: Features = FEATURES) -> tuple:
    """The manifest's line of one shard of these clips, and its rows."""
    writer = ShardWriter("torchaudio", features, batch=8, device_id=None)
    shard = Shard("shard-00003.parquet", 30, 36)
    entry = writer.write(Target(str(folder), shard, "weak", {"id": "x"}, None), made)
    content = (folder / shard.name).read_bytes()
    assert (entry.name, entry.start, entry.stop) == ("shard-00003.parquet", 30, 36)
    assert entry.sha256 == sha256(content)
    return entry, pq.read_table(folder / shard.name).to_pylist()


def test_a_clip_whose_features_are_impossible_is_quarantined_by_name(tmp_path: Path) -> None:
    not_finite = noise(1)
    not_finite[7] = np.nan
    made = ShardClips(
        clips=(
            clip_of("good.wav", noise(0)),
            clip_of("nan.wav", not_finite),
            clip_of("loud.wav", noise(2) * 1e6),
            clip_of("empty.wav", noise(3, 0)),
            clip_of("last.wav", noise(4)),
        ),
        rejected=(Rejected("before.wav", "cannot be read"),),
        dropped=3,
    )
    entry, rows = written(tmp_path, made)
    assert [row["filename"] for row in rows] == ["good.wav", "last.wav"]
    assert (entry.rows, entry.dropped) == (2, 3)
    reasons = dict(entry.quarantined)
    assert list(reasons) == ["before.wav", "nan.wav", "empty.wav", "loud.wav"]
    assert "1 NaN" in reasons["nan.wav"] and "with samples" in reasons["empty.wav"]
    assert "does not fit float16" in reasons["loud.wav"]
    # Each keeps its own mel, whoever was taken out between them.
    for row, seed in zip(rows, (0, 4), strict=True):
        expected_TF = mel_amplitude(noise(seed).astype(np.float32), FEATURES)
        stored_TF = np.array(row["mel"], np.float32).reshape(FEATURES.n_frames, FEATURES.n_mels)
        np.testing.assert_array_equal(stored_TF, expected_TF.astype(np.float16))


def test_of_a_long_recording_all_windows_are_kept_or_none(tmp_path: Path) -> None:
    loud = noise(2) * 1e6
    windows = tuple(clip_of("long.wav", w) for w in (noise(1), loud, loud, noise(3)))
    made = ShardClips((clip_of("a.wav", noise(0)), *windows, clip_of("z.wav", noise(4))), (), 0)
    entry, rows = written(tmp_path, made)
    assert [row["filename"] for row in rows] == ["a.wav", "z.wav"]
    assert [name for name, _ in entry.quarantined] == ["long.wav"]


def test_a_shard_may_end_up_without_rows(tmp_path: Path) -> None:
    entry, rows = written(tmp_path, ShardClips((), (Rejected("a.wav", "broken"),), 5))
    assert (entry.rows, entry.dropped, rows) == (0, 5, [])


def test_a_louder_dtype_takes_the_loud_clip(tmp_path: Path) -> None:
    features = FEATURES.model_copy(update={"dtype": "float32"})
    made = ShardClips((clip_of("loud.wav", noise(2) * 1e6),), (), 0)
    entry, rows = written(tmp_path, made, features)
    assert entry.quarantined == () and max(rows[0]["mel"]) > 65504


def test_a_target_says_what_decided_the_bytes(tmp_path: Path) -> None:
    (p,) = plan(weak_job(write_tree(tmp_path / "dataset"), tmp_path / "out", mel="torchaudio"))
    sent = target(p, p.shards[2])
    assert (sent.url, sent.shard, sent.subset, sent.exported) == (p.url, p.shards[2], "weak", None)
    assert sent.metadata["id"] == p.id and sent.metadata["mel"] == "torchaudio"
    assert Features(**sent.metadata["features"]) == FEATURES
    assert json.loads(json.dumps(sent.metadata))["job"] == p.job


def test_soundscapes_are_exported_only_where_the_set_asks(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path)
    exported = {}
    for export in ((), ("wav",)):
        (p,) = plan(edge_job(roots, export=export).model_copy(update={"out": str(tmp_path / "o")}))
        exported[export] = target(p, p.shards[0]).exported
    assert exported[()] is None and exported["wav",] is not None


def test_the_samples_of_the_files_come_back(tmp_path: Path) -> None:
    with_waveforms = FEATURES.model_copy(update={"waveforms": True})
    tree = write_tree(tmp_path / "dataset")
    job = weak_job(tree, tmp_path / "out", features=with_waveforms, mel="torchaudio")
    found = open_dataset(build_alone(job).url, tmp_path / "cache")
    assert found.features == with_waveforms and found.waveforms is not None
    assert [len(waveform_T) for waveform_T in found.waveforms[:2]] == [9000, 16000]
    for name, waveform_T, mel_TF, frames in zip(
        found.filenames, found.waveforms, found.mels, found.frames, strict=True
    ):
        samples_T, _ = soundfile.read(tree / "audio/train/weak" / name, dtype="float32")
        assert waveform_T.dtype == np.float16
        error_db = 10 * np.log10(np.mean(np.square(waveform_T - samples_T) / np.mean(samples_T**2)))
        assert error_db < -70
        again_TF = mel_amplitude(waveform_T, with_waveforms)
        np.testing.assert_allclose(mel_TF[:frames], again_TF, rtol=2e-3, atol=2e-2)


class Half:
    """An encoder that has no rows for a clip which begins with a loud sample."""

    sample_rate_hz, hop, span, centre, window, fixed, width, licence = (
        16000,
        400,
        400,
        200,
        None,
        False,
        1,
        "",
    )

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        rows = np.ones((len(waveform_BT), waveform_BT.shape[1] // 400, 1), np.float32)
        return np.where(np.abs(waveform_BT[:, :1, None]) > 2, np.nan, rows)


def test_a_clip_without_embedding_costs_no_other() -> None:
    loud = noise(1)
    loud[0] = 5.0
    clips = [clip_of("a.wav", noise(0)), clip_of("loud.wav", loud), clip_of("b.wav", noise(2))]
    first, bad, last = embed_or_reason(Half(), clips, FEATURES)
    assert isinstance(bad, ValueError) and "not numbers" in str(bad)
    assert isinstance(first, np.ndarray) and isinstance(last, np.ndarray) and first.all()
