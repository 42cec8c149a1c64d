"""Annotated sets as data sets: the same bytes from a disk and from a store that fails, soft labels, long recordings."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob, Features
from raysed.data.build.annotated_source import SHARD_BYTES, AnnotatedSource
from raysed.data.build.dataset_plan import plan
from raysed.data.build.length_check import refuse_lengths
from raysed.data.build.resume import record
from raysed.data.clip import SoftEvent
from raysed.data.features.shards import read_manifest
from raysed.data.features.store import open_dataset
from raysed.data.recorded.listing import ListedRecording, Listing
from raysed.storage.folder import Folder
from tests.data.recorded import forms
from tests.data.recorded_tree import build_shards, contents
from tests.object_store import object_store

FEATURES = Features(duration_s=1.0, n_mels=8, hop=510)


def job_of(out: Path, classes=("Dog", "Speech", "Vacuum_cleaner"), **sets: dict) -> DataJob:
    return DataJob(
        name="own",
        out=str(out),
        classes=classes,
        features=FEATURES,
        mel="torchaudio",
        shard_clips=8,
        sets={name: AnnotatedSet(kind="annotated", **fields) for name, fields in sets.items()},
    )


def built(job: DataJob, cache: Path):
    (p,) = plan(job)
    record(p, build_shards(p, range(len(p.shards))))
    return p, open_dataset(p.url, cache)


def real(root: str) -> dict:
    return {
        "audio": f"{root}/audio/train/strong_label_real",
        "labels": f"{root}/metadata/train/audioset_strong.tsv",
        "type": "strong",
    }


@pytest.fixture(scope="module")
def store():
    with object_store() as running:
        yield running


def test_a_failing_store_gives_the_bytes_of_a_disk(
    tmp_path: Path, store, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms.desed_strong_real(tmp_path / "tree")
    for key, value in store.environment.items():
        monkeypatch.setenv(key, value)
    for path in (tmp_path / "tree").rglob("*"):
        if path.is_file():
            name = path.relative_to(tmp_path / "tree").as_posix()
            Folder("s3://lab/desed").write(name, path.read_bytes())
    local, _ = built(job_of(tmp_path / "a", real=real(str(tmp_path / "tree"))), tmp_path / "c")
    refused: list[str] = []

    def sometimes(method: str, path: str) -> int | None:
        if method == "GET" and path.endswith((".wav", ".tsv")) and refused.count(path) < 2:
            refused.append(path)
            return 503
        return None

    store.answer = sometimes
    remote, found = built(job_of(tmp_path / "b", real=real("s3://lab/desed")), tmp_path / "c")
    store.answer = lambda method, path: None
    assert len(refused) >= 4 and remote.id == local.id
    assert contents(tmp_path / "b") == contents(tmp_path / "a")
    assert [len(events or ()) for events in found.events] == [1, 2]


def test_what_a_store_refuses_for_good_is_said_and_not_tried_on(
    tmp_path: Path, store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in store.environment.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(ValueError, match=r"s3://lab/nowhere/audio.*: no such file or folder"):
        plan(job_of(tmp_path, real=real("s3://lab/nowhere")))


def test_the_id_follows_the_content_and_not_the_place(tmp_path: Path) -> None:
    ids = []
    for place in ("one", "two"):
        forms.desed_strong_real(tmp_path / place)
        (p,) = plan(job_of(tmp_path / "out", real=real(str(tmp_path / place))))
        ids.append(p.id)
        assert str(tmp_path) not in str(p.job)
    forms.audio(tmp_path / "two/audio/train/strong_label_real/Y0a1b_0.000_10.000.wav", 0.7)
    (p,) = plan(job_of(tmp_path / "out", real=real(str(tmp_path / "two"))))
    assert ids[0] == ids[1] != p.id


def test_soft_labels_of_a_long_recording(tmp_path: Path) -> None:
    forms.maestro_real(tmp_path / "m")
    classes = ("Dishes", "Speech")
    job = job_of(
        tmp_path / "out",
        classes,
        maestro={
            "audio": f"{tmp_path}/m/development_audio",
            "labels": f"{tmp_path}/m/development_annotation",
            "type": "soft",
            "map": {"people talking": "Speech", "cutlery and dishes": "Dishes"},
        },
    )
    _, found = built(job, tmp_path / "cache")
    assert len(found) == 7 and found.durations_s[0] == 4.0  # windows of 1 s, one every half
    first = found.events[0]
    assert first is not None and isinstance(first[0], SoftEvent) and len(first) == 5
    manifest = read_manifest(Folder(plan(job)[0].url))
    assert manifest is not None and manifest.job["set"]["type"] == "soft"


def test_hugging_face_parquet_is_decoded_row_by_row(tmp_path: Path) -> None:
    forms.hugging_face(tmp_path / "d/train.parquet", clips=5)
    job = job_of(
        tmp_path / "out",
        ("dog", "rain"),
        hf={"audio": f"{tmp_path}/d/train.parquet", "type": "weak"},
    )
    p, found = built(job, tmp_path / "cache")
    assert found.weak_NK is not None and found.weak_NK.tolist() == [[1, 0], [0, 1]] * 2 + [[1, 0]]
    clips = [p.source.make(n)[0] for n in range(5)]
    for n, clip in enumerate(clips):
        np.testing.assert_allclose(clip.waveform_T, forms.noise(1.0, n), atol=1e-4)


def test_long_recordings_make_short_shards(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=10)
    data_set = AnnotatedSet(kind="annotated", audio=str(tmp_path / "esc"), type="weak")
    source = AnnotatedSource.of(data_set, FEATURES, ("dog", "rain"))
    assert source.starts(8) == [0, 8, 16]
    (size, *_) = (recording.size for recording in source.listing)
    large = (ListedRecording(f"{n:02d}.wav", f"{n}.wav", SHARD_BYTES // 3, None) for n in range(20))
    many = AnnotatedSource("none", FEATURES, Listing(source.root, None, large))
    assert size < SHARD_BYTES and set(np.diff(many.starts(8))) == {3}
    assert all(b > a for a, b in pairwise(many.starts(1)))


def test_long_weak_recordings_are_refused_by_name(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=2, seconds=3.0)
    plans = plan(
        job_of(tmp_path / "o", ("dog", "rain"), esc={"audio": f"{tmp_path}/esc", "type": "weak"})
    )
    with pytest.raises(
        ValueError, match=r"set esc: 4 recordings .*\n  dog/0-000\.wav lasts 3\.0 s"
    ):
        refuse_lengths(plans, {"esc": list(plans[0].shards)})
