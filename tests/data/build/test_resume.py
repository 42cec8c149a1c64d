"""What of a data set is there: which shards count as finished, and what a build tells of them."""

import json
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from raysed.data.build.dataset_plan import DatasetPlan, plan
from raysed.data.build.resume import (
    finished_shards,
    mark_unfinished,
    record,
    record_shard,
    result_of,
)
from raysed.data.build.shard_journal import JOURNAL
from raysed.data.features.shards import ShardEntry, read_manifest
from raysed.storage.folder import Folder, ReadDeniedError
from tests.data.recorded_tree import build_alone, build_shards, weak_job, write_tree


@pytest.fixture
def job(tmp_path: Path):
    return weak_job(write_tree(tmp_path / "dataset"), tmp_path / "out", mel="torchaudio")


def names(entries: dict[str, ShardEntry]) -> list[int]:
    """The numbers of shards."""
    return [int(name.removeprefix("shard-").removesuffix(".parquet")) for name in entries]


def test_what_is_whole_is_kept_and_the_rest_built_anew(
    job, caplog: pytest.LogCaptureFixture
) -> None:
    build_alone(job)
    (p,) = plan(job)
    assert names(finished_shards(p)) == [0, 1, 2, 3, 4] and not caplog.records
    shard = Path(p.url, p.shards[1].name)
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    Path(p.url, p.shards[3].name).unlink()
    with caplog.at_level(logging.WARNING):
        assert names(finished_shards(p)) == [0, 2, 4]
    damaged, gone = (record.getMessage() for record in caplog.records)
    assert "shard-00001.parquet: SHA-256" in damaged and damaged.endswith("built anew")
    assert "shard-00003.parquet: listed in manifest.json but not there" in gone


def test_shards_of_another_plan_do_not_count(job) -> None:
    build_alone(job)
    (p,) = plan(job)
    shards = (replace(p.shards[0], stop=p.shards[0].stop + 1), *p.shards[1:])
    assert names(finished_shards(replace(p, shards=shards))) == [1, 2, 3, 4]
    assert finished_shards(replace(p, manifest=None)) == {}


def test_what_may_not_be_read_is_not_called_damaged(job, monkeypatch: pytest.MonkeyPatch) -> None:
    build_alone(job)
    (p,) = plan(job)

    def read(self: Folder, name: str) -> bytes:
        raise ReadDeniedError(f"{name}: denied")

    monkeypatch.setattr(Folder, "read", read)
    with pytest.raises(ReadDeniedError, match=r"shard-00000\.parquet: denied"):
        finished_shards(p)


def manifest_of(p: DatasetPlan) -> dict:
    return json.loads(Path(p.url, "manifest.json").read_text())


def test_the_lists_come_with_the_last_shard(job) -> None:
    (p,) = plan(job)
    mark_unfinished(p, ())
    assert (manifest_of(p)["complete"], manifest_of(p)["shards"]) == (False, [])
    entries = build_shards(p, [4, 0, 2, 1])
    record(p, entries)
    assert not manifest_of(p)["complete"] and not list(Path(p.url).glob("*.tsv"))
    entries += build_shards(p, [3])
    record(p, entries)
    assert manifest_of(p)["complete"] and manifest_of(p)["clips"] == 9
    assert Path(p.url, "missing.tsv").read_text() == "filename\nY07_0.000_1.000.wav\n"
    (told,) = Path(p.url, "quarantine.tsv").read_text().splitlines()[1:]
    assert told.startswith("Y03_0.000_1.000.wav\taudio/train/weak/Y03")


def test_a_build_appends_its_shards_and_writes_the_manifest_once(
    job, monkeypatch: pytest.MonkeyPatch
) -> None:
    (p,) = plan(job)
    entries = build_shards(p, range(5))
    mark_unfinished(p, ())
    for n in range(1, 4):
        record_shard(p, entries[:n], entries[n - 1])
    assert manifest_of(p)["shards"] == []
    with Path(p.url, JOURNAL).open("ab") as file:  # what a killed writer left
        file.write(b'{"name": "shard-00004.par')
    (again,) = plan(job)
    found = finished_shards(again)
    assert names(found) == [0, 1, 2]
    mark_unfinished(again, found.values())
    assert len(manifest_of(p)["shards"]) == 3 and not Path(p.url, JOURNAL).exists()
    for n in (4, 5):
        record_shard(again, entries[:n], entries[n - 1])
    whole = Path(p.url, "manifest.json").read_bytes()
    assert manifest_of(p)["complete"] and not Path(p.url, JOURNAL).exists()
    record(p, entries)
    assert Path(p.url, "manifest.json").read_bytes() == whole


def test_lists_that_cannot_be_written_leave_the_manifest_unfinished(
    job, monkeypatch: pytest.MonkeyPatch
) -> None:
    (p,) = plan(job)
    entries = build_shards(p, range(5))
    mark_unfinished(p, entries[:4])

    def write(self: Folder, name: str, content: bytes) -> None:
        if name.endswith(".tsv"):
            raise OSError("disk full")
        original(self, name, content)

    original = Folder.write
    monkeypatch.setattr(Folder, "write", write)
    with pytest.raises(OSError, match="disk full"):
        record(p, entries)
    manifest = read_manifest(Folder(p.url))
    assert manifest is not None and not manifest.complete and len(manifest.shards) == 4


def test_a_folder_that_cannot_be_written_is_refused(job, tmp_path: Path) -> None:
    (p,) = plan(job)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file/out: cannot be written"):
        mark_unfinished(replace(p, url=str(tmp_path / "file/out")), ())


@pytest.mark.parametrize(("limit", "over"), [(0.09, True), (0.1, False), (1.0, False)])
def test_the_result_tells_what_was_lost(job, limit: float, over: bool) -> None:
    (p,) = plan(job)
    told = replace(p, warnings=("mind the gap",))
    entries = build_shards(p, range(5))
    result = result_of(
        told, entries, 2, job.model_copy(update={"quarantine_limit": limit}), Counter()
    )
    assert (result.clips, result.dropped, result.quarantined, result.missing) == (9, 0, 1, 1)
    assert (result.shards, result.shards_built, result.warnings) == (5, 2, ("mind the gap",))
    # One of ten raw clips.
    assert result.over_limit is over
    more = result_of(told, entries, 2, job, Counter(lower_rate=3, unheard=1))
    assert more.warnings[0] == "mind the gap" and more.warnings[1].startswith(
        "weak: 3 clips made now with audio at less than 16000 Hz"
    )
    assert more.warnings[2].startswith("weak: 1 clip made now with events that begin after")
