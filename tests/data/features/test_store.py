import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.data_job import Features
from raysed.data.clip import Event
from raysed.data.features.shards import MANIFEST, read_manifest, write_manifest
from raysed.data.features.store import open_dataset, strong_labels
from raysed.storage.folder import Folder
from tests.data.small_sets import CLASSES, FEATURES, clips_of, write_set
from tests.paths import GOLDEN, ROOT


def test_strong_labels_are_the_published_ones() -> None:
    golden = np.load(GOLDEN / "labels.npz")
    classes = golden["classes"].tolist()
    events: dict[str, list[Event]] = {}
    for line in (GOLDEN / "events.tsv").read_text().splitlines()[1:]:
        filename, onset, offset, label = line.split("\t")
        events.setdefault(filename, []).append(Event(float(onset), float(offset), label))
    ours = np.stack(
        [strong_labels(events[name], classes, Features(), 4) for name in sorted(events)]
    )
    np.testing.assert_array_equal(ours, golden["strong_NTK"])


def test_strong_labels_by_hand() -> None:
    # Frames of 0.1 s, two to an output frame: 0.25 s is frame 2, output 1; 0.9 s output 4.
    features = Features(sample_rate_hz=1000, hop=100, duration_s=1.0, n_fft=256, high_hz=500.0)
    labels_TK = strong_labels([Event(0.25, 0.9, "b")], ["a", "b"], features, 2)
    assert labels_TK.T.tolist() == [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0]]
    within_one = strong_labels([Event(0.2, 0.39, "a")], ["a", "b"], features, 2)
    assert not within_one.any()
    past_the_end = strong_labels([Event(0.8, 7.0, "a")], ["a", "b"], features, 2)
    assert past_the_end[:, 0].tolist() == [0, 0, 0, 0, 1]


@given(onset=st.floats(0, 10), length=st.floats(0, 10), pooling=st.integers(1, 8))
def test_a_longer_event_only_adds_labels(onset: float, length: float, pooling: int) -> None:
    features = Features()
    short = strong_labels([Event(onset, onset + length / 2, "a")], ["a"], features, pooling)
    long = strong_labels([Event(onset, onset + length, "a")], ["a"], features, pooling)
    assert short.shape == (features.n_frames // pooling, 1)
    assert (long >= short).all()


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    url = write_set(tmp_path / "set")
    found = open_dataset(url, tmp_path / "cache")
    expected = clips_of("synthetic")
    assert len(found) == len(expected) == 5
    assert found.filenames == tuple(clip.filename for clip, _ in expected)
    assert found.events == tuple(clip.events for clip, _ in expected)
    assert found.weak_labels == tuple(clip.weak_labels for clip, _ in expected)
    assert found.durations_s.tolist() == [clip.duration_s for clip, _ in expected]
    assert found.frames.tolist() == [len(mel_TF) for _, mel_TF in expected]
    assert (found.classes, found.features) == (CLASSES, FEATURES)
    batch = found.mel([3, 0, 3])
    assert batch.dtype == np.float16
    for mel_TF, n in zip(batch, [3, 0, 3], strict=True):
        own = expected[n][1]
        np.testing.assert_array_equal(mel_TF[: len(own)], own.astype(np.float16))
        assert not mel_TF[len(own) :].any()


def test_mels_are_views_of_the_file(tmp_path: Path) -> None:
    before = pa.total_allocated_bytes()
    found = open_dataset(write_set(tmp_path / "set"), tmp_path / "cache")
    assert pa.total_allocated_bytes() - before < found.mels[0].nbytes
    assert not any(mel_TF.flags.writeable or mel_TF.flags.owndata for mel_TF in found.mels)


def test_waveforms_are_views_of_the_file_too(tmp_path: Path) -> None:
    features = FEATURES.model_copy(update={"waveforms": True})
    url = write_set(tmp_path / "set", features=features)
    before = pa.total_allocated_bytes()
    found = open_dataset(url, tmp_path / "cache")
    assert found.waveforms is not None
    assert pa.total_allocated_bytes() - before < found.waveforms[1].nbytes
    for waveform_T, (clip, _) in zip(found.waveforms, clips_of("synthetic"), strict=True):
        assert not waveform_T.flags.writeable and not waveform_T.flags.owndata
        # Multiples of 1/512 are exact in float16.
        np.testing.assert_array_equal(waveform_T, clip.waveform_T[: features.n_samples_seen])
    assert open_dataset(write_set(tmp_path / "without"), tmp_path / "cache").waveforms is None


def test_labels_as_arrays(tmp_path: Path) -> None:
    strong = open_dataset(write_set(tmp_path / "strong"), tmp_path / "cache")
    weak = open_dataset(write_set(tmp_path / "weak", "weak"), tmp_path / "cache")
    unlabelled = open_dataset(write_set(tmp_path / "none", "unlabelled"), tmp_path / "cache")
    assert strong.weak_NK is not None and strong.weak_NK.tolist() == [
        [1, 0],
        [0, 1],
        [0, 0],
        [1, 0],
        [0, 1],
    ]
    strong_NTK = strong.strong_NTK(2)
    assert strong_NTK is not None and strong_NTK.shape == (5, FEATURES.n_frames // 2, 2)
    assert (strong_NTK.any(axis=1) == strong.weak_NK).all()
    assert weak.weak_NK is not None and weak.strong_NTK(2) is None
    assert unlabelled.weak_NK is None and unlabelled.strong_NTK(2) is None


def test_refuses_what_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no manifest.json"):
        open_dataset(str(tmp_path), tmp_path / "cache")
    folder = Folder(write_set(tmp_path / "set"))
    manifest = read_manifest(folder)
    assert manifest is not None
    write_manifest(folder, manifest.model_copy(update={"complete": False}))
    with pytest.raises(ValueError, match=r"unfinished: .*run the job again"):
        open_dataset(folder.url, tmp_path / "cache")
    assert not list((tmp_path).glob("cache/*.arrow"))


@pytest.mark.parametrize("fault", ["missing", "corrupt"])
def test_refuses_a_bad_shard(tmp_path: Path, fault: str) -> None:
    url = write_set(tmp_path / "set")
    shard = Path(url) / "shard-00001.parquet"
    if fault == "missing":
        shard.unlink()
    else:
        content = bytearray(shard.read_bytes())
        content[len(content) // 2] ^= 1
        shard.write_bytes(content)
    with pytest.raises(ValueError, match=r"shard-00001.parquet"):
        open_dataset(url, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.arrow"))
    assert not list((tmp_path / "cache").glob(".*.arrow.*"))


def test_refuses_a_manifest_it_does_not_know(tmp_path: Path) -> None:
    folder = Folder(write_set(tmp_path / "set"))
    content = json.loads(Path(folder.url, MANIFEST).read_text())
    folder.write(MANIFEST, json.dumps({**content, "format": 99}).encode())
    with pytest.raises(ValueError, match="format 99"):
        open_dataset(folder.url, tmp_path / "cache")
    folder.write(MANIFEST, b"{}")
    with pytest.raises(ValueError, match="not a manifest"):
        open_dataset(folder.url, tmp_path / "cache")


def test_the_cache_is_made_once(tmp_path: Path) -> None:
    url = write_set(tmp_path / "set")
    open_dataset(url, tmp_path / "cache")
    (arrow,) = (tmp_path / "cache").glob("*.arrow")
    first = arrow.stat().st_mtime_ns
    for shard in Path(url).glob("*.parquet"):
        shard.unlink()
    assert len(open_dataset(url, tmp_path / "cache")) == 5
    assert arrow.stat().st_mtime_ns == first


def test_other_content_is_another_cache_file(tmp_path: Path) -> None:
    open_dataset(write_set(tmp_path / "set"), tmp_path / "cache")
    again = open_dataset(write_set(tmp_path / "set", seed=1), tmp_path / "cache")
    np.testing.assert_array_equal(
        again.mels[0][: again.frames[0]], clips_of("synthetic", seed=1)[0][1].astype(np.float16)
    )
    assert len(list((tmp_path / "cache").glob("*.arrow"))) == 2


def test_two_processes_convert_at_once(tmp_path: Path) -> None:
    url = write_set(tmp_path / "set")
    code = (
        "import sys; from raysed.data.features.store import open_dataset\n"
        "sys.stdin.readline(); print(open_dataset(*sys.argv[1:]).mel(range(5)).astype('f8').sum())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, url, str(tmp_path / "cache")],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    sums = {process.communicate(timeout=500)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert sums == {
        f"{sum(mel.astype(np.float16).astype(float).sum() for _, mel in clips_of('synthetic'))}\n"
    }
    assert len(list((tmp_path / "cache").glob("*.arrow"))) == 1
