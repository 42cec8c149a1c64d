import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raysed.config.data_job import Features
from raysed.data.features.shards import (
    Manifest,
    decode_shard,
    encode_shard,
    read_manifest,
    stored_mel,
)
from raysed.storage.folder import Folder, write_atomically
from tests.data.small_sets import CLASSES, FEATURES, clips_of, write_set
from tests.paths import ROOT


def test_any_arrow_tool_reads_a_shard(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    path.write_bytes(
        encode_shard(clips_of("synthetic"), "synthetic", FEATURES, {"classes": CLASSES})
    )
    file = pq.ParquetFile(path)
    table = file.read()
    assert table.schema.field("mel").type == pa.list_(
        pa.float16(), FEATURES.n_frames * FEATURES.n_mels
    )
    assert table["subset"].unique().to_pylist() == ["synthetic"]
    assert table["events"].to_pylist()[0] == [{"onset": 0.1, "offset": 0.4, "event_label": "Cat"}]
    assert table["weak_labels"].to_pylist() == [["Cat"], ["Dog"], [], ["Cat"], ["Dog"]]
    assert json.loads(file.schema_arrow.metadata[b"raysed"]) == {"classes": list(CLASSES)}


def test_unlabelled_is_not_the_same_as_silent() -> None:
    table = decode_shard(encode_shard(clips_of("unlabelled"), "unlabelled", FEATURES, {}))
    assert table["weak_labels"].to_pylist() == [None] * 5 == table["events"].to_pylist()


def test_row_groups_are_bounded(tmp_path: Path) -> None:
    rows = clips_of("synthetic") * 30
    content = encode_shard(rows, "synthetic", FEATURES, {})
    groups = pq.ParquetFile(pa.BufferReader(content)).metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [64, 64, 22]


def test_a_shard_may_be_empty() -> None:
    assert decode_shard(encode_shard([], "weak", FEATURES, {})).num_rows == 0


def test_the_same_clips_give_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; from tests.data.small_sets import *; from raysed.data.features.shards import *;"
        "content = encode_shard(clips_of('weak'), 'weak', FEATURES, {'b': 1, 'a': 2});"
        "sys.stdout.write(sha256(content))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    from raysed.data.features.shards import sha256

    assert run.stdout == sha256(encode_shard(clips_of("weak"), "weak", FEATURES, {"a": 2, "b": 1}))


def test_float32_is_stored_exactly() -> None:
    features = FEATURES.model_copy(update={"dtype": "float32"})
    rows = clips_of("weak")
    table = decode_shard(encode_shard(rows, "weak", features, {}))
    stored = table["mel"].combine_chunks().flatten().to_numpy().reshape(5, features.n_frames, -1)
    np.testing.assert_array_equal(stored[0], rows[0][1])
    assert table["frames"].to_pylist() == [21, 10, 21, 21, 21]


def test_waveforms_are_another_column_where_the_features_ask() -> None:
    features = FEATURES.model_copy(update={"waveforms": True})
    random = np.random.default_rng(0)
    samples = [random.uniform(-0.1, 0.1, n).astype(np.float32) for n in (8000, 3, 99_999, 1, 8000)]
    rows = [
        (replace(clip, waveform_T=waveform_T), mel_TF)
        for (clip, mel_TF), waveform_T in zip(clips_of("weak"), samples, strict=True)
    ]
    table = decode_shard(encode_shard(rows, "weak", features, {}))
    assert table.column_names[-1] == "waveform"
    stored = [np.array(row, np.float64) for row in table["waveform"].to_pylist()]
    assert [len(row) for row in stored] == [8000, 3, features.n_samples_seen, 1, 8000]
    for row, waveform_T in zip(stored, samples, strict=True):
        error = row - waveform_T[: len(row)]
        assert np.mean(error**2) < 10**-7 * np.mean(np.square(row)), "70 dB under the clip"
    assert "waveform" not in decode_shard(encode_shard(rows, "weak", FEATURES, {})).column_names


def test_refuses_what_float16_cannot_hold() -> None:
    loud_TF = np.full((2, 8), 1e5, np.float32)
    with pytest.raises(ValueError, match="1e\\+05 does not fit float16"):
        stored_mel(loud_TF, FEATURES)
    assert (
        stored_mel(loud_TF, Features(duration_s=0.5, n_mels=8, hop=400, dtype="float32"))[0, 0]
        == 1e5
    )


def test_lists_beside_the_manifest(tmp_path: Path) -> None:
    url = Path(write_set(tmp_path / "set"))
    assert (url / "quarantine.tsv").read_text() == "filename\treason\nbad.wav\tholds no samples\n"
    assert (url / "missing.tsv").read_text() == "filename\ngone.wav\n"
    manifest = json.loads((url / "manifest.json").read_text())
    assert [shard["rows"] for shard in manifest["shards"]] == [3, 2]
    assert {"id", "job", "features", "classes", "quarantined", "missing"} <= set(manifest)


def test_memory_urls_are_refused() -> None:
    with pytest.raises(ValueError, match="memory://"):
        Folder("memory://out")


def test_a_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Folder("out").url == Folder(f"file://{tmp_path}/out").url == str(tmp_path / "out")


@pytest.mark.parametrize("scheme", ["arrow", "fsspec"])
def test_other_file_systems(tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import fs

    local = fs.LocalFileSystem()
    fsspec_local = fs.PyFileSystem(fs.FSSpecHandler(__import__("fsspec").filesystem("file")))
    folder = Folder("s3://bucket/set")
    found = (local if scheme == "arrow" else fsspec_local, str(tmp_path / "set"))
    monkeypatch.setitem(folder.__dict__, "_remote", found)
    assert folder.read("a.json") is None
    folder.write("a.json", b"1")
    folder.write("a.json", b"22")
    assert folder.read("a.json") == b"22"
    assert read_manifest(folder) is None


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "set" / "a.json"
    write_atomically(path, b"old")

    def disk_full(source: str, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(os, "replace", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("key", ["id", "name", "shard"])
@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", "a\n"])
def test_names_in_a_manifest_stay_in_its_folder(tmp_path: Path, key: str, name: str) -> None:
    """Read or written: a shard's name is joined to the folder, the id to the cache."""
    folder = Folder(write_set(tmp_path / "set"))
    path = tmp_path / "set" / "manifest.json"
    content = json.loads(path.read_text())
    if key == "shard":
        content["shards"][0]["name"] = name
    else:
        content[key] = name
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"manifest\.json: is not a manifest .*\n.*\n.*the name"):
        read_manifest(folder)
    with pytest.raises(ValueError, match="the name"):
        Manifest.model_validate_json(json.dumps(content))
