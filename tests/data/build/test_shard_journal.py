"""What a build notes between two manifests: a line for each shard, and for stores the distances."""

from itertools import pairwise
from pathlib import Path

from raysed.data.build.shard_journal import JOURNAL, forget_shards, is_due, note_shard, noted_shards
from raysed.data.features.shards import ShardEntry
from raysed.storage.folder import Folder


def entry(number: int) -> ShardEntry:
    return ShardEntry(
        name=f"shard-{number:05d}.parquet",
        start=number,
        stop=number + 1,
        rows=1,
        sha256="0" * 64,
        dropped=0,
        quarantined=(("é\n.wav", "cut\tshort"),),
    )


def test_what_is_noted_is_read_back_and_half_a_line_is_not(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    assert noted_shards(folder) == []
    for number in (2, 0):
        note_shard(folder, entry(number))
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes() + entry(1).model_dump_json().encode()[:40])
    assert noted_shards(folder) == [entry(2), entry(0)]
    forget_shards(folder)
    forget_shards(folder)
    assert noted_shards(folder) == [] and not list(tmp_path.iterdir())


def test_a_store_gets_few_manifests_and_lacks_few_shards() -> None:
    due = [n for n in range(1, 20_001) if is_due(n)]
    assert due[:129:16] == [1, 17, 33, 49, 65, 81, 97, 113, 130]
    assert all(later - n <= max(1, n / 64) for n, later in pairwise(due))
    # 20,000 shards: the lines of all manifests together are some 50 times those of the last, and not 10,000 times.
    assert len(due) < 800 and sum(due) < 200 * 20_000
