"""Events of one class that overlap in one clip: finding them, and merging them where that is asked for.

psds_eval refuses such sets. They have no agreed meaning: an overlapped second is one sound counted
twice. Touching events do not overlap.
"""

import numpy as np

from raysed.evaluation.detections.events import Events


def overlapping(events: Events) -> np.ndarray:
    """Return bool (E,): true for events that begin before an earlier one of their clip and class has ended."""
    found_E = np.zeros(len(events), dtype=bool)
    order_E, new_E = _by_cell(events)
    end = -np.inf
    for e, new in zip(order_E, new_E, strict=True):
        end = -np.inf if new else end
        found_E[e] = events.onset_E[e] < end
        end = max(end, float(events.offset_E[e]))
    return found_E


def merged(events: Events) -> Events:
    """Return the unions of overlapping events of one clip and class; all other events stay as they are."""
    overlap_E = overlapping(events)
    if not overlap_E.any():
        return events
    offset_E = events.offset_E.copy()
    first = -1
    for e in _by_cell(events)[0]:
        if overlap_E[e]:
            offset_E[first] = max(offset_E[first], offset_E[e])
        else:
            first = e
    whole = Events(events.clip_E, events.label_E, events.onset_E, offset_E)
    return whole.take(~overlap_E)


def _by_cell(events: Events) -> tuple[np.ndarray, np.ndarray]:
    """Return indices in order of clip, class, onset, and a mark where a clip and class begins."""
    order_E = np.lexsort((events.onset_E, events.label_E, events.clip_E))
    clip_E, label_E = events.clip_E[order_E], events.label_E[order_E]
    new_E = np.append(True, (np.diff(clip_E) != 0) | (np.diff(label_E) != 0))[: len(events)]
    return order_E, new_E
