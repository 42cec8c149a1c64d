"""The table of methods: what a cell says."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from raysed.evaluation.intervals.significance import Difference
from raysed.evaluation.postprocessing.comparison import MethodColumn, MetricValue
from raysed.evaluation.postprocessing.methods import MedianSettings
from raysed.predict.method_table import columns_as_json, method_table

GAIN = Difference(difference=0.1, low=0.02, high=0.2, p=0.01, se=0.05)
COLUMNS = [
    MethodColumn(
        "median",
        "as it is",
        SimpleNamespace(groups_N=None),
        {"event_f1": MetricValue(0.5, 0.4, 0.6, None, None)},
        {"Cat": (MedianSettings(7), 0.5)},
    ),
    MethodColumn(
        "boxes",
        "cross-fitted",
        SimpleNamespace(),
        {"event_f1": MetricValue(0.6, 0.5, 0.7, GAIN, 0.03)},
        {},
    ),
]


def test_values_differences_and_optimism_stand_in_a_cell():
    lines = method_table(COLUMNS, "psds1")
    assert lines[0] == "| post-processing | tuned | event F1 % |"
    assert lines[2] == "| median filter, as trained | as it is | 50.0 [40.0, 60.0] |"
    assert lines[3] == (
        "| bounding boxes | cross-fitted | 60.0 [50.0, 70.0] +10.0 [+2.0, +20.0] fit +3.0 |"
    )
    assert lines[-1].startswith("Settings are chosen for PSDS1, thresholds for event-based F1")
    assert "95 % over clips;" in lines[-1]
    grouped = [replace(c, statistics=SimpleNamespace(groups_N=np.zeros(2))) for c in COLUMNS]
    assert "95 % over groups of clips;" in method_table(grouped, "psds1")[-1]


def test_programs_get_fractions():
    own, boxes = columns_as_json(COLUMNS)
    assert own["chosen"] == {"Cat": {"threshold": 0.5, "median_window": 7}}
    assert own["metrics"]["event_f1"]["gain"] is None
    assert boxes["metrics"]["event_f1"]["gain"]["low"] == 0.02
    assert boxes["metrics"]["event_f1"]["optimism"] == 0.03
