"""From rows of labels to the events and labels of each clip: names found, labels mapped to classes, values checked."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from raysed.config.annotated_set import AnnotatedSet
from raysed.storage.clip_name import clip_name, match_clips
from raysed.storage.url import masked

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

_SHOWN = 5
_MILLISECONDS = 1000.0


Texts = Sequence[str] | pa.Array | pa.ChunkedArray


def indices_of(names: Texts, clips: Texts) -> np.ndarray:
    """Return for each name of the labels the index of the clip that it means, -1 where none or several.

    By the very name, then by another suffix, none or a folder before it, then by the last part alone where one recording
    has it, then as AudioSet's segment ids (`b0RFKhbpFJA_30000` is `Yb0RFKhbpFJA_30.000_40.000.wav`).
    """
    names_N, clips_C = _texts(names), _texts(clips)
    index_N = _pc.index_in(names_N, value_set=clips_C)
    found = _pc.fill_null(index_N, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    left = np.flatnonzero(found < 0)
    if not len(left):
        return found
    names, clips = names_N.to_pylist(), clips_C.to_pylist()
    place = {name: n for n, name in enumerate(clips)}
    missing = [names[n] for n in left]
    meant = match_clips(missing, clips)
    last = {name: clip_name(name).rpartition("/")[2] for name in missing if name not in meant}
    if any("/" in name for name in last):
        by_last = match_clips(last.values(), clips)
        count = Counter(by_last.get(part) for part in last.values())
        meant |= {
            n: clip for n, part in last.items() if (clip := by_last.get(part)) and count[clip] == 1
        }
    starts = _segment_starts(clips) if len(meant) < len(missing) else {}
    for n in left:
        clip = meant.get(names[n]) or starts.get(names[n])
        found[n] = place[clip] if clip is not None else -1
    return found


def _texts(values: Texts) -> pa.Array:
    """Return texts as one Arrow array: a million of Python's own take some 100 MB."""
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    return values if isinstance(values, pa.Array) else pa.array(values, pa.string())


def _segment_starts(clips: Sequence[str]) -> dict[str, str]:
    """Return the clip of each `<YouTube id>_<start in ms>`, for clips called `[Y]<id>_<start s>_<stop s>`."""
    starts = {}
    for clip in clips:
        parts = clip_name(PurePosixPath(clip).name).rsplit("_", 2)
        try:
            start = round(float(parts[-2]) * _MILLISECONDS)
        except (ValueError, IndexError):
            continue
        video = parts[0].removeprefix("Y") if len(parts[0]) == 12 else parts[0]
        starts[f"{video}_{start}"] = clip
    return starts


def to_classes(
    labels: pa.Table, data_set: AnnotatedSet, classes: Collection[str] | None, place: str
) -> pa.Table:
    """Return the rows with classes for labels; a label of two classes is two rows, one that is ignored keeps its clip.

    Raises ValueError naming labels that are no classes, with what to do.
    """
    encoded = labels["event_label"].combine_chunks().dictionary_encode()
    known = encoded.dictionary.to_pylist()
    mapped = [data_set.classes_of(label) for label in known]
    if classes is not None:
        unknown = [
            (label, c)
            for label, cs in zip(known, mapped, strict=True)
            for c in cs
            if c not in classes
        ]
        if unknown and data_set.other_labels == "refuse":
            more = f" … and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise ValueError(
                f"{masked(place)}: labels that are no classes: {', '.join(label for label, _ in unknown[:_SHOWN])}{more}"
                f" (classes: {', '.join(sorted(classes)[:20])}); map them with `map`, or leave them out with"
                " `other_labels: ignore`"
            )
        kept = classes if data_set.annotates is None else data_set.annotates
        mapped = [tuple(c for c in cs if c in kept) for cs in mapped]
    if all(cs == (label,) for cs, label in zip(mapped, known, strict=True)):
        return labels
    codes = _pc.fill_null(encoded.indices, len(known)).to_numpy(zero_copy_only=False)
    counts = np.array([max(1, len(cs)) for cs in mapped] + [1])
    flat = [c for cs in [*mapped, ()] for c in (cs or (None,))]
    first = np.append(0, np.cumsum(counts))[:-1]
    repeated = np.repeat(np.arange(len(labels)), counts[codes])
    within = np.arange(len(repeated)) - np.repeat(
        np.cumsum(counts[codes]) - counts[codes], counts[codes]
    )
    chosen = pa.array(flat, pa.string()).take(pa.array(first[codes[repeated]] + within))
    rows = labels.take(pa.array(repeated))
    return rows.set_column(rows.column_names.index("event_label"), "event_label", chosen)


def check_values(labels: pa.Table, kind: str, place: str) -> None:
    """Raise ValueError for the first rows whose times, labels or values are impossible for labels of this kind."""
    has_label = _pc.is_valid(labels["event_label"])
    onset, offset = labels["onset"], labels["offset"]
    checks: list[tuple[pa.ChunkedArray, Callable[[dict], str]]] = []
    if kind in ("strong", "soft"):
        timed = _pc.and_(_pc.is_valid(onset), _pc.is_valid(offset))
        good = _pc.and_(_pc.greater_equal(onset, 0.0), _pc.less(onset, offset))
        good = _pc.and_(_pc.fill_null(good, False), _pc.fill_null(_pc.is_finite(offset), False))
        checks = [
            (
                _pc.and_(has_label, _pc.invert(timed)),
                lambda row: f"{row['event_label']!r} has no onset and offset",
            ),
            (
                _pc.and_(has_label, _pc.invert(good)),
                lambda row: (
                    f"onset {row['onset']} and offset {row['offset']} do not fulfil 0 <= onset < offset"
                ),
            ),
            (
                _pc.and_(_pc.invert(has_label), _pc.is_valid(onset)),
                lambda row: "has times but no label",
            ),
        ]
    if kind == "soft":
        value = labels["confidence"]
        inside = _pc.and_(_pc.greater_equal(value, 0.0), _pc.less_equal(value, 1.0))
        bad = _pc.and_(has_label, _pc.invert(_pc.fill_null(inside, False)))
        checks.append((bad, lambda row: f"the value {row['confidence']} is not from 0 to 1"))
    for bad, say in checks:
        if count := _pc.sum(bad).as_py():
            row = labels.filter(bad).slice(0, 1).to_pylist()[0]
            more = f" ({count} such rows)" if count > 1 else ""
            raise ValueError(
                f"{masked(place)}, line {row['line']}, {row['filename']}: {say(row)}{more}"
            )


def grouped(labels: pa.Table, index_R: np.ndarray, clips: int, columns: Sequence[str]) -> pa.Array:
    """Return for each of the clips the list of its rows' columns, null where no row names it.

    `index_R` is the clip of each row. Of one column the list holds values, of several structs. Rows keep their order.
    """
    order = np.argsort(index_R, kind="stable")
    order = order[index_R[order] >= 0]
    named = np.zeros(clips, bool)
    named[index_R[order]] = True
    with_label = _pc.is_valid(labels["event_label"]).to_numpy(zero_copy_only=False)
    order = order[with_label[order]]
    rows = labels.select(list(columns)).take(pa.array(order)).combine_chunks()
    counts = np.bincount(index_R[order], minlength=clips)
    offsets = pa.array(np.append(0, np.cumsum(counts)).astype(np.int32))
    arrays = [rows[column].combine_chunks() for column in columns]
    arrays = [a.chunk(0) if isinstance(a, pa.ChunkedArray) else a for a in arrays]
    values = arrays[0] if len(arrays) == 1 else pa.StructArray.from_arrays(arrays, list(columns))
    return pa.ListArray.from_arrays(offsets, values, mask=pa.array(~named))
