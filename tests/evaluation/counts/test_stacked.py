"""Two systems side by side are the one or the other, by weights."""

import numpy as np
import pytest

from raysed.evaluation.counts.stacked import stack
from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.metrics.registry import COUNT_METRICS, METRICS
from tests.evaluation.oracles import random_case


@pytest.mark.parametrize("name", COUNT_METRICS)
def test_weights_choose_the_system(name: str) -> None:
    case = random_case(3)
    points = list(case.points)
    shifted = dict(zip(points, reversed(list(case.points.values())), strict=True))
    a = collect(case.reference, case.points[points[0]], case.points)
    b = collect(case.reference, case.points[points[-1]], shifted)
    n = a.n_clips
    weights = np.array([[1] * n + [0] * n, [0] * n + [1] * n], np.int16)
    expected = [METRICS[name](a)[0], METRICS[name](b)[0]]
    assert METRICS[name](stack(a, b), weights) == pytest.approx(expected, abs=1e-12)
    assert stack(a, b).scored is None
