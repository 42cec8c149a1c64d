"""Operating points as people and programs read them."""

import math

from raysed.evaluation.postprocessing.operating_points import OperatingPoint, Rate, WantedRate
from raysed.predict.point_table import CROSS_FITTED, point_table, points_as_json

WANTED = WantedRate("precision", 0.9)
UNKNOWN = Rate(math.nan, math.nan, math.nan)
POINTS = [
    OperatingPoint("Cat", 0.3, True, Rate(0.95, 0.91, 1.0), Rate(0.5, 0.4, 0.6)),
    OperatingPoint("Dog", 0.97, False, UNKNOWN, Rate(0.0, 0.0, 0.2)),
]


def test_table():
    lines = point_table(POINTS, WANTED, CROSS_FITTED)
    assert "| Cat | 0.30 | 0.950 [0.910, 1.000] | 0.500 [0.400, 0.600] | yes |" in lines
    assert "| Dog | 0.97 (not reached) | nothing found | 0.000 [0.000, 0.200] | open |" in lines
    assert "No threshold reaches it for Dog" in lines[-1]


def test_json():
    found = points_as_json(POINTS, WANTED)
    assert found["threshold"] == {"Cat": 0.3, "Dog": 0.97}
    assert found["wanted"] == {"rate": "precision", "value": 0.9}
    assert found["classes"]["Cat"]["kept"] == "yes"
    assert found["classes"]["Dog"]["precision"] == {"value": None, "low": None, "high": None}
