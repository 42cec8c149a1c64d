#!/usr/bin/env bash
# Versions: sed_eval 0.2.1, dcase_util 0.2.20, psds_eval 0.5.3, sed_scores_eval 0.0.4, pandas 2.2.3, numpy 1.26.4.
# Input: 50 events of one class in one file, at times of one decimal (0.1-0.6 s, 1.2-1.7 s, ...). Two systems: one finds
#   each event 0.2 s late, where the collar is 0.2 s; the other the second half of each, where half has to be found.
# Expected: a limit that is met exactly holds each time, or fails each time; and packages agree.
# Observed: sed_eval and psds_eval compare floating-point differences as they are, so the place in the file decides: sed_eval takes 26 of 50 onsets that are equally late (0.1 -> 0.3 is within, 1.2 -> 1.4 within, 2.3 -> 2.5
#   is not), psds_eval 33 of 50 events of which half is found. sed_scores_eval rounds to 6 decimals first and takes all.
#   F-scores of the same events are 0.52 and 1.00, and 0.80 and 1.00. Collars that are not met exactly (0.03 s added to
#   the ground truth) give the same counts by both packages, so it hits labels of one decimal and scores every 0.1 s.
# Seen 2026-11-30:
#   0.2 s late, collar 0.2 s   sed_eval 26 of 50, sed_scores_eval 50 of 50
#   half found, half required  psds_eval 33 of 50, sed_scores_eval 50 of 50
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  sed_scores_eval==0.0.4 sed_eval==0.2.1 psds_eval==0.5.3 dcase_util==0.2.20 numpy==1.26.4 scipy==1.17.1 \
  pandas==2.2.3 pytz==2026.6 tzdata==2026.6 python-dateutil==2.9.0.post0 six==1.17.0 future==1.0.0 \
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
from sed_eval.sound_event import EventBasedMetrics
from sed_scores_eval import collar_based, intersection_based
from sed_scores_eval.base_modules.scores import create_score_dataframe

Spans = list[tuple[float, float]]
ONSETS_S = [round(0.1 + 1.1 * k, 1) for k in range(50)]
FILE_S = 60.0


def shifted(length_s: float, late_s: float) -> tuple[Spans, Spans]:
    """The events, and what is found of each: all but its first `late_s`."""
    events = [(onset_s, round(onset_s + length_s, 1)) for onset_s in ONSETS_S]
    return events, [(round(onset_s + late_s, 1), offset_s) for onset_s, offset_s in events]


def listed(spans: Spans) -> MetaDataContainer:
    return MetaDataContainer(
        [{"file": "a", "event_label": "c", "onset": a, "offset": b} for a, b in spans]
    )


def framed(spans: Spans) -> pd.DataFrame:
    rows = [{"filename": "a", "onset": a, "offset": b, "event_label": "c"} for a, b in spans]
    return pd.DataFrame(rows)


def scored(spans: Spans) -> dict[str, pd.DataFrame]:
    """Scores of 1 in the spans and 0 elsewhere, every 0.1 s."""
    edges_s = np.round(np.arange(round(FILE_S * 10) + 1) / 10, 1)
    score_T1 = np.zeros((len(edges_s) - 1, 1))
    for onset_s, offset_s in spans:
        score_T1[round(onset_s * 10) : round(offset_s * 10)] = 1
    return {"a": create_score_dataframe(score_T1, edges_s, ["c"])}


def truth(spans: Spans) -> dict[str, list]:
    return {"a": [(onset_s, offset_s, "c") for onset_s, offset_s in spans]}


events, late = shifted(0.5, 0.2)
metrics = EventBasedMetrics(["c"], t_collar=0.2, percentage_of_length=0.2)
metrics.evaluate(listed(events), listed(late))
by_sed_eval = int(metrics.overall["Ntp"])
collars = {"onset_collar": 0.2, "offset_collar": 0.2, "offset_collar_rate": 0.2}
counts = collar_based.fscore(scored(late), truth(events), 0.5, **collars)[3]
by_scores = int(counts["c"]["tps"])
print(f"0.2 s late, collar 0.2 s   sed_eval {by_sed_eval} of 50, sed_scores_eval {by_scores} of 50")

events, half = shifted(0.6, 0.3)
limits = {"dtc_threshold": 0.5, "gtc_threshold": 0.5}
peer = PSDSEval(
    ground_truth=framed(events),
    metadata=pd.DataFrame([{"filename": "a", "duration": FILE_S}]),
    cttc_threshold=0.3,
    **limits,
)
f_score, _ = peer.compute_macro_f_score(framed(half))
# Nothing that is found is outside an event, so there are no false alarms: F = 2 TP / (TP + 50).
by_psds_eval = round(50 * f_score / (2 - f_score))
counts = intersection_based.fscore(scored(half), truth(events), 0.5, **limits)[3]
by_halves = int(counts["c"]["tps"])
print(f"half found, half required  psds_eval {by_psds_eval} of 50, sed_scores_eval {by_halves} of 50")

if not (0 < by_sed_eval < 50 and 0 < by_psds_eval < 50):
    sys.exit("changed: a limit that is met exactly now holds each time, or never")
if by_scores != 50 or by_halves != 50:
    sys.exit("changed: sed_scores_eval no longer takes each")
PY
