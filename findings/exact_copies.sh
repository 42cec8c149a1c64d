#!/usr/bin/env bash
# Versions: psds_eval 0.5.3, sed_eval 0.2.1, dcase_util 0.2.20, sed_scores_eval 0.0.4, numpy 2.3.5, pandas 2.3.3.
# Input: one event of each of two classes, of 1 s. Half of an event has to be found, and half of a detection has to lie in one.
#   A system finds the first 0.3 s of each, or all of it; its rows, or those of the ground truth, stand once or twice in the
#   table, as they do once two tables are joined that share a clip, or a window is predicted twice.
# Expected: psds_eval refuses events of one class that overlap, so it refuses copies or takes them for one; and a copy adds nothing.
# Observed: only copies with another time are refused; those that are equal to the millisecond pass, and each counts. Two copies of
#   0.3 s cover 0.6 of an event, so what is missed becomes found: macro F and PSDS go from 0 to 1. Of a ground truth whose rows
#   stand twice, a detection that lies in it for 0.3 of its length is 0.6 right. sed_eval calls the second copy a false alarm: a
#   perfect system falls from 1 to 0.667. sed_scores_eval refuses a ground truth with copies, and scores cannot have any.
# Seen 2026-12-01:
#   0.3 s of each event        PSDS 0.0  macro F 0.0  sed_eval F 0.0
#   the same rows twice        PSDS 1.0  macro F 1.0  sed_eval F 0.0
#   copies that are 1 ms late  PSDSEvalError          sed_eval F 0.0
#   all of each event          PSDS 1.0  macro F 1.0  sed_eval F 1.0
#   the same rows twice        PSDS 1.0  macro F 1.0  sed_eval F 0.667
#   3.3 s around each event    PSDS 0.0  macro F 0.0  sed_eval F 0.0
#   ground truth twice         PSDS 1.0  macro F 1.0  sed_eval F 0.0
#   sed_scores_eval, ground truth twice: AssertionError
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
export MPLCONFIGDIR="$work"
cd "$work"
"${PYTHON:-python3}" -m venv venv
# sed_scores_eval comes as source and is compiled here (needs a C compiler).
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  psds-eval==0.5.3 sed_scores_eval==0.0.4 sed_eval==0.2.1 dcase_util==0.2.20 numpy==2.3.5 scipy==1.17.1 \
  pandas==2.3.3 pytz==2026.6 tzdata==2026.6 python-dateutil==2.9.0.post0 six==1.17.0 future==1.0.0 \
  setuptools==65.5.0 PyYAML==6.0.3 validators==0.36.0 einops==0.8.2 lazy-dataset==0.0.15 librosa==0.11.0 \
  lazy-loader==0.6 packaging==26.3 soundfile==0.14.0 cffi==2.1.1 pycparser==3.12 typing_extensions==4.16.0 \
  matplotlib==3.11.2 contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 kiwisolver==1.5.1 pillow==13.0.0 \
  pyparsing==3.3.3 requests==2.34.2 urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2

venv/bin/python -W ignore - <<'PY'
import sys

import numpy as np
import pandas as pd
from dcase_util.containers import MetaDataContainer
from psds_eval import PSDSEval
from psds_eval.psds import PSDSEvalError
from sed_eval.sound_event import EventBasedMetrics
from sed_scores_eval import intersection_based
from sed_scores_eval.base_modules.scores import create_score_dataframe

Rows = list[tuple[str, float, float, str]]
COLUMNS = ["filename", "onset", "offset", "event_label"]
TRUTH: Rows = [("a", 4.0, 5.0, "Dog"), ("b", 4.0, 5.0, "Cat")]
PART: Rows = [("a", 4.0, 4.3, "Dog"), ("b", 4.0, 4.3, "Cat")]
LATE: Rows = [("a", 4.001, 4.301, "Dog"), ("b", 4.001, 4.301, "Cat")]
LONG: Rows = [("a", 3.0, 6.3, "Dog"), ("b", 3.0, 6.3, "Cat")]
CLIPS = pd.DataFrame({"filename": ["a", "b"], "duration": [10.0, 10.0]})


def by_psds_eval(truth: Rows, found: Rows) -> str:
    detections = pd.DataFrame(found, columns=COLUMNS)
    try:
        peer = PSDSEval(
            dtc_threshold=0.5,
            gtc_threshold=0.5,
            cttc_threshold=0.3,
            ground_truth=pd.DataFrame(truth, columns=COLUMNS),
            metadata=CLIPS,
        )
        peer.add_operating_point(detections)
        # F of a class without hits is 0 / 0 there, and the mean NaN.
        f_score = np.nan_to_num(peer.compute_macro_f_score(detections)[0])
        return f"PSDS {peer.psds(max_efpr=100).value:.1f}  macro F {f_score:.1f}"
    except PSDSEvalError:
        return "PSDSEvalError         "


def by_sed_eval(truth: Rows, found: Rows) -> str:
    metrics = EventBasedMetrics(["Cat", "Dog"], t_collar=0.2, percentage_of_length=0.2)
    for clip in CLIPS.filename:
        lists = [
            MetaDataContainer([dict(zip(COLUMNS, row, strict=True)) for row in rows if row[0] == clip])
            for rows in (truth, found)
        ]
        metrics.evaluate(*lists)
    value = metrics.results_class_wise_average_metrics()["f_measure"]["f_measure"]
    return f"sed_eval F {round(float(value), 3)}"


def by_sed_scores_eval(truth: Rows) -> str:
    scores = create_score_dataframe(np.zeros((10, 2)), np.arange(11.0), ["Cat", "Dog"])
    events = {clip: [row[1:] for row in truth if row[0] == clip] for clip in "ab"}
    try:
        intersection_based.fscore(
            {"a": scores, "b": scores}, events, 0.5, dtc_threshold=0.5, gtc_threshold=0.5
        )
        return "no error"
    except AssertionError:
        return "AssertionError"


cases = [
    ("0.3 s of each event", TRUTH, PART),
    ("the same rows twice", TRUTH, PART + PART),
    ("copies that are 1 ms late", TRUTH, PART + LATE),
    ("all of each event", TRUTH, TRUTH),
    ("the same rows twice", TRUTH, TRUTH + TRUTH),
    ("3.3 s around each event", TRUTH, LONG),
    ("ground truth twice", TRUTH + TRUTH, LONG),
]
found = []
for name, truth, rows in cases:
    found.append(f"{by_psds_eval(truth, rows)}  {by_sed_eval(truth, rows)}")
    print(f"{name:<26} {found[-1]}")
refused = by_sed_scores_eval(TRUTH + TRUTH)
print(f"sed_scores_eval, ground truth twice: {refused}")
nothing, all_found = "PSDS 0.0  macro F 0.0", "PSDS 1.0  macro F 1.0"
expected = [
    f"{nothing}  sed_eval F 0.0",
    f"{all_found}  sed_eval F 0.0",
    "PSDSEvalError           sed_eval F 0.0",
    f"{all_found}  sed_eval F 1.0",
    f"{all_found}  sed_eval F 0.667",
    f"{nothing}  sed_eval F 0.0",
    f"{all_found}  sed_eval F 0.0",
]
if found != expected or refused != "AssertionError":
    sys.exit("changed: not what was seen when this was written")
PY
