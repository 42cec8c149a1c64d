#!/usr/bin/env bash
# Versions: sed_eval 0.2.1, dcase_util 0.2.20, numpy 2.3.5.
# Input: a system that finds the one event of class Dog exactly and gives one false alarm of class Cat, of which the
#   ground truth has no event (as happens with rare classes in a small test set, a fold or a resample).
# Expected: the averages over the classes all count Cat, or all leave it out; its error rate is not defined.
# Observed: within one result the averages follow three rules. The F-score leaves Cat out (1.0, as if there were no
#   false alarm), the precision counts it (0.5), and the error rate divides by 2**-52 in place of 0 events, which gives
#   a finite 4503599627370496 for Cat and half of that on average: no NaN that a later check would find. Over all events
#   F is 0.667 and the error rate 1. Event-based metrics and segment-based ones (1 s) agree.
# Seen 2026-11-30:
#   Event    classes: F 1.0, precision 0.5, recall 1.0, error rate 2251799813685248; overall: F 0.667, error rate 1.0
#   Segment  classes: F 1.0, precision 0.5, recall 1.0, error rate 2251799813685248; overall: F 0.667, error rate 1.0
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  sed_eval==0.2.1 dcase_util==0.2.20 numpy==2.3.5 scipy==1.17.1 six==1.17.0 future==1.0.0 setuptools==65.5.0 \
  PyYAML==6.0.3 validators==0.36.0 librosa==0.11.0 lazy-loader==0.6 packaging==26.3 soundfile==0.14.0 cffi==2.1.1 \
  pycparser==3.12 typing_extensions==4.16.0 requests==2.34.2 urllib3==2.8.0 idna==3.20 certifi==2026.10.18 \
  charset-normalizer==3.5.2

venv/bin/python -W ignore - <<'PY'
import sys

from dcase_util.containers import MetaDataContainer
from sed_eval.sound_event import EventBasedMetrics, SegmentBasedMetrics

DOG = {"file": "a.wav", "event_label": "Dog", "onset": 1.0, "offset": 2.0}
CAT = {"file": "b.wav", "event_label": "Cat", "onset": 4.0, "offset": 5.0}


def results(metrics: EventBasedMetrics | SegmentBasedMetrics, **length: float) -> tuple:
    metrics.evaluate(MetaDataContainer([DOG]), MetaDataContainer([DOG]), **length)
    metrics.evaluate(MetaDataContainer([]), MetaDataContainer([CAT]), **length)
    average = metrics.results_class_wise_average_metrics()
    overall = metrics.results_overall_metrics()
    return (
        *(float(average["f_measure"][name]) for name in ("f_measure", "precision", "recall")),
        float(average["error_rate"]["error_rate"]),
        round(float(overall["f_measure"]["f_measure"]), 3),
        round(float(overall["error_rate"]["error_rate"]), 3),
    )


classes = ["Cat", "Dog"]
found = {
    "Event": results(EventBasedMetrics(event_label_list=classes)),
    "Segment": results(
        SegmentBasedMetrics(event_label_list=classes, time_resolution=1.0),
        evaluated_length_seconds=10.0,
    ),
}
for name, (f, precision, recall, errors, f_overall, errors_overall) in found.items():
    print(
        f"{name:<8} classes: F {f}, precision {precision}, recall {recall}, error rate {errors:.0f};"
        f" overall: F {f_overall}, error rate {errors_overall}"
    )
expected = (1.0, 0.5, 1.0, 2.0**51, 0.667, 1.0)
if any(values != expected for values in found.values()):
    sys.exit("changed: not what was seen when this was written")
PY
