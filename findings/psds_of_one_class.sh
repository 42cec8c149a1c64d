#!/usr/bin/env bash
# Versions: psds_eval 0.5.3, sed_scores_eval 0.0.4, numpy 2.3.5, pandas 2.3.3.
# Input: one clip of 12 s, and a system that finds every event exactly and gives no false alarm: once with events of one
#   class, once with events of two.
# Expected: a perfect system has a PSDS of 1, however many classes there are.
# Observed: psds_eval gives 0 where the ground truth has one class, though cross-triggers (which one class cannot have)
#   weigh nothing, and though its own macro F-score of the same detections is 1. The mean of the rates of cross-triggers
#   is taken over no other class, is not a number, and stays so when multiplied by the weight 0. Only numpy's warning
#   about a mean of nothing (switched off below) hints at it. sed_scores_eval gives 1.
# Seen 2026-11-30:
#   1 class    psds_eval: PSDS 0.0, macro F 1.0; sed_scores_eval: PSDS 1.0
#   2 classes  psds_eval: PSDS 1.0, macro F 1.0; sed_scores_eval: PSDS 1.0
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

import pandas as pd
import sed_scores_eval
from psds_eval import PSDSEval

DURATION_S = 12.0
SPANS = {"Dog": (1.0, 2.0), "Cat": (5.0, 6.0)}


def by_psds_eval(classes: list[str]) -> tuple[float, float]:
    events = pd.DataFrame(
        [("clip.wav", *SPANS[name], name) for name in classes],
        columns=["filename", "onset", "offset", "event_label"],
    )
    clips = pd.DataFrame({"filename": ["clip.wav"], "duration": [DURATION_S]})
    judge = PSDSEval(0.7, 0.7, 0.3, ground_truth=events, metadata=clips)
    judge.add_operating_point(events)
    psds = judge.psds(alpha_ct=0.0, alpha_st=0.0, max_efpr=100.0).value
    return float(psds), float(judge.compute_macro_f_score(events)[0])


def by_sed_scores_eval(classes: list[str]) -> float:
    edges = [0.0, 1.0, 2.0, 5.0, 6.0, DURATION_S]
    scores = pd.DataFrame({"onset": edges[:-1], "offset": edges[1:]})
    for name in classes:
        scores[name] = [0.9 if onset == SPANS[name][0] else 0.1 for onset in edges[:-1]]
    value, *_ = sed_scores_eval.intersection_based.psds(
        scores={"clip": scores},
        ground_truth={"clip": [(*SPANS[name], name) for name in classes]},
        audio_durations={"clip": DURATION_S},
        dtc_threshold=0.7,
        gtc_threshold=0.7,
        max_efpr=100.0,
        num_jobs=1,
    )
    return float(value)


found = []
for classes in (["Dog"], ["Dog", "Cat"]):
    psds, macro_f = by_psds_eval(classes)
    other = by_sed_scores_eval(classes)
    found.append((psds, macro_f, other))
    name = "1 class" if len(classes) == 1 else f"{len(classes)} classes"
    print(f"{name:<10} psds_eval: PSDS {psds}, macro F {macro_f}; sed_scores_eval: PSDS {other}")
if found != [(0.0, 1.0, 1.0), (1.0, 1.0, 1.0)]:
    sys.exit("changed: not what was seen when this was written")
PY
