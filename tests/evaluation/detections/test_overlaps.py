"""Same-class overlaps: found and merged as by hand, and against psds_eval's refusal."""

import numpy as np
import pytest
from hypothesis import given, settings
from psds_eval import PSDSEval, PSDSEvalError

from raysed.evaluation.counts.clip_counts import seconds
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.overlaps import merged, overlapping
from tests.evaluation.oracles import Case, cases, evaluator, random_case


def test_by_hand() -> None:
    """Chained, contained and duplicate events overlap; touching and other classes' do not."""
    events = Events.sort(
        [0, 0, 0, 0, 0, 1, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0.0, 0.5, 1.8, 2.5, 0.0, 0.0, 0.0],
        [2.0, 1.0, 2.5, 3.0, 9.0, 1.0, 1.0],
    )
    # clip 0 in order of onset: class 0 at 0-2, class 1 at 0-9, then 0.5-1, 1.8-2.5, 2.5-3
    np.testing.assert_array_equal(overlapping(events), [0, 0, 1, 1, 0, 0, 1])
    whole = merged(events)
    found = [tuple(map(float, row)) for row in zip(*vars(whole).values(), strict=True)]
    assert found == [(0, 0, 0, 2.5), (0, 1, 0, 9), (0, 0, 2.5, 3), (1, 0, 0, 1)]


@settings(max_examples=60, deadline=None)
@given(case=cases(max_points=1))
def test_merging_leaves_no_overlap_and_covers_the_same_time(case: Case) -> None:
    events = case.reference.events
    whole = merged(events)
    assert not overlapping(whole).any()
    assert len(whole) == len(events) - overlapping(events).sum()
    for e in range(len(events)):
        inside = (
            (whole.clip_E == events.clip_E[e])
            & (whole.label_E == events.label_E[e])
            & (whole.onset_E <= events.onset_E[e])
            & (whole.offset_E >= events.offset_E[e])
        )
        assert inside.any()
    n_clips, n_classes = len(case.reference.filenames), len(case.reference.classes)
    assert (seconds(whole, n_clips, n_classes) <= seconds(events, n_clips, n_classes) + 1e-9).all()


def test_psds_eval_refuses_what_is_found() -> None:
    case = random_case(0)
    reference, events = case.reference, case.reference.events
    assert not overlapping(events).any()
    evaluator(case, cls=PSDSEval)
    added = [field[:1] for field in vars(events).values()]
    added[2] = added[2] + 0.001
    twice = Events.sort(
        *(np.append(*pair) for pair in zip(vars(events).values(), added, strict=True))
    )
    assert overlapping(twice).sum() == 1
    doubled = Reference(reference.filenames, reference.durations_s, reference.classes, twice)
    with pytest.raises(PSDSEvalError, match="intersecting"):
        evaluator(Case(doubled, case.points), cls=PSDSEval)


def test_no_events() -> None:
    empty = Events.sort([], [], [], [])
    assert len(merged(empty)) == 0
