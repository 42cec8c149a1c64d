"""Events of one class that overlap in one clip: finding them, and merging them where that is asked for.

psds_eval refuses such sets. They have no agreed meaning: an overlapped second is one sound counted
twice. Touching events do not overlap.
"""

import numpy as np
from numba import njit

from raysed.evaluation.detections.events import Events


def overlapping(events: Events) -> np.ndarray:
    """Return bool (E,): true for events that begin before an earlier one of their clip and class has ended."""
    order_E, new_E = _by_cell(events)
    return _overlapping(order_E, new_E, events.onset_E, events.offset_E)


@njit(cache=True, nogil=True)
def _overlapping(
    order_E: np.ndarray, new_E: np.ndarray, onset_E: np.ndarray, offset_E: np.ndarray
) -> np.ndarray:
    found_E = np.zeros(order_E.size, np.bool_)
    end = -np.inf
    for i in range(order_E.size):
        e = order_E[i]
        end = -np.inf if new_E[i] else end
        found_E[e] = onset_E[e] < end
        end = max(end, offset_E[e])
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
