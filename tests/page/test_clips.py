"""Which clips the error browser shows, and what each system did in them, on counts made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from raysed.page import clips
from raysed.page.clips import choose, errors_of, reference_events


def result(tp, n_sys, n_ref):
    """A result of one class with these counts in each clip."""
    columns = {
        name: np.array(values, np.int32)[:, None]
        for name, values in (("tp_NK", tp), ("n_sys_NK", n_sys), ("n_ref_NK", n_ref))
    }
    names = tuple(f"{n}.wav" for n in range(len(tp)))
    return SimpleNamespace(
        statistics=SimpleNamespace(filenames=names, event=SimpleNamespace(**columns))
    )


def test_errors_by_hand():
    assert errors_of(result([1, 0, 2], [3, 0, 2], [1, 4, 3])).tolist() == [
        [1, 0, 2],  # hits
        [2, 0, 0],  # false
        [0, 4, 1],  # missed
    ]


def test_the_worst_come_first_and_ties_in_the_sets_order(monkeypatch):
    monkeypatch.setattr(clips, "WORST", 2)
    monkeypatch.setattr(clips, "RANDOM", 1)
    one, other = result([0] * 4, [0, 2, 0, 0], [1] * 4), result([0] * 4, [2, 0, 0, 0], [1] * 4)
    # Means over both: 2, 2, 1, 1.
    chosen = choose([one, other])
    assert list(chosen.items())[:2] == [("0.wav", "most errors"), ("1.wav", "most errors")]
    ((name, why),) = list(chosen.items())[2:]
    assert name in ("2.wav", "3.wav") and why == "random"
    assert choose([one, other]) == chosen


@pytest.mark.parametrize("count", [1, 12, 13, 40])
def test_every_clip_is_shown_once_and_no_more_than_there_are(count):
    chosen = choose([result([0] * count, list(range(count)), [0] * count)])
    assert len(chosen) == min(count, clips.WORST + clips.RANDOM)
    assert list(chosen.values()).count("most errors") == min(count, clips.WORST)


def test_events_of_the_shown_clips_are_numbered_by_their_place():
    shown = [
        {"events": [[1, 0.5, 2.0], [0, 0.0, 1.0]]},
        {"events": None},
        {"events": [[0, 3.0, 4.0]]},
    ]
    events = reference_events(shown)
    found = zip(events.clip_E, events.label_E, events.onset_E, events.offset_E, strict=True)
    assert [tuple(map(float, row)) for row in found] == [(0, 0, 0, 1), (0, 1, 0.5, 2), (2, 0, 3, 4)]
    assert len(reference_events([{"events": None}])) == 0
