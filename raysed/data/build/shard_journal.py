"""The shards that a build has finished since it last wrote the manifest: a line for each, appended.

A manifest grows with its shards; written anew after each of n, it would cost n^2. On a local file system a line is appended
instead; the file is gone once the manifest lists all. Object stores cannot append: there the manifest is written at
growing distances, so that a killed build loses a sixty-fourth of its shards at most.
"""

from pathlib import Path

from pydantic import ValidationError

from raysed.data.features.shards import ShardEntry
from raysed.storage.folder import Folder

JOURNAL = "shards.jsonl"
_SHARE = 64


def note_shard(folder: Folder, entry: ShardEntry) -> None:
    """Append a finished shard to the journal of a local folder."""
    with Path(folder.url, JOURNAL).open("ab") as file:
        file.write(f"{entry.model_dump_json()}\n".encode())


def noted_shards(folder: Folder) -> list[ShardEntry]:
    """Return the shards of a journal; a line that a killed writer left half is none."""
    if not folder.is_local:
        return []
    found = []
    for line in (folder.read(JOURNAL) or b"").splitlines():
        try:
            found.append(ShardEntry.model_validate_json(line))
        except ValidationError:
            continue
    return found


def forget_shards(folder: Folder) -> None:
    """Remove the journal, once the manifest lists its shards."""
    if folder.is_local:
        Path(folder.url, JOURNAL).unlink(missing_ok=True)


def is_due(finished: int) -> bool:
    """Tell whether the manifest of a store without journal is written at this number of shards: at every one up to 64,
    then so that at most a sixty-fourth is not in it.
    """
    distance = 1 << max(finished // _SHARE, 1).bit_length() - 1
    return finished % distance == 0
