"""The check, before any work, that every recording of a data set can be served at its length.

Only headers are read, about 0.2 ms each and in threads; files too small to be long are not opened where any clip
length will do.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from raysed.data.build.dataset_plan import DatasetPlan, Shard
from raysed.data.build.source import AnnotatedSource, RecordedSource, SyntheticSource
from raysed.data.containers.audio_file import audio_info, open_audio
from raysed.data.lengths import length_fault
from raysed.data.recorded.desed import RecordedEntry
from raysed.data.recorded.reading import opened

Listed = RecordedSource | AnnotatedSource

_SMALL_BYTES = 4_000_000
"""No file of so few bytes lasts hours: three hours of Opus at its lowest rate take 8 MB."""
_SHOWN = 5
_THREADS = 8


def refuse_lengths(plans: Iterable[DatasetPlan], left: dict[str, list[Shard]]) -> None:
    """Raise ValueError naming the recordings of unfinished shards that are too long for what their labels say."""
    lines = []
    for p in plans:
        source = p.source
        if isinstance(source, SyntheticSource):
            continue
        shown: list[str] = []
        count = 0
        for fault in _faults(source, left[p.name]):
            count += 1
            if count <= _SHOWN:
                shown.append(fault)
        if count:
            more = f"\n  … and {count - _SHOWN} more" if count > _SHOWN else ""
            lines.append(
                f"set {p.name}: {count} recordings cannot be served:\n  "
                + "\n  ".join(shown)
                + more
            )
    if lines:
        raise ValueError("\n".join(lines))


def _faults(source: Listed, shards: Iterable[Shard]) -> Iterator[str]:
    def fault_of(entry: RecordedEntry) -> str | None:
        weak = has_clip_labels_only(entry)
        local = "://" not in source.root and "://" not in entry.path and "#" not in entry.path
        try:
            if not weak and (
                not local or Path(source.root, entry.path).stat().st_size < _SMALL_BYTES
            ):
                return (
                    None  # A remote file is asked for once; what is too long of it is quarantined.
                )
            seconds = seconds_of(source.root, entry)
        except (ValueError, OSError):
            return None  # The build quarantines what cannot be read, with its reason.
        fault = length_fault(seconds, source.features, clip_labels_only=weak)
        return fault and f"{entry.path} {fault}"

    with ThreadPoolExecutor(_THREADS) as threads:
        for shard in shards:  # not all at once: a million would wait in memory
            listed = source.listed(shard.start, shard.stop)
            yield from filter(None, threads.map(fault_of, listed))


def seconds_of(root: str, entry: RecordedEntry) -> float:
    """Return a recording's length by its header. Raises ValueError where it cannot be read."""
    place, content = opened(root, entry.path)
    if content is None:
        return audio_info(place).duration
    with open_audio(content) as file:
        return file.sound.frames / file.sound.samplerate


def has_clip_labels_only(entry: RecordedEntry) -> bool:
    """Tell whether a recording has labels, of the whole clip alone."""
    return entry.events is None and entry.weak_labels is not None
