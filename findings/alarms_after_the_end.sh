#!/usr/bin/env bash
# Versions: psds_eval 0.5.3, sed_eval 0.2.1, dcase_util 0.2.20, sed_scores_eval 0.0.4, numpy 2.3.5, pandas 2.3.3.
# Input: 20 clips of 6 s, with an event in each, of two classes in turn; a system that finds all of them exactly, and once a false
#   alarm of each class. It pads clips to 10 s, as networks of one input size do, and the alarm is at 7 to 8 s: in silence that
#   nobody recorded. Then the same with alarms at 5.9 to 6.9 s.
# Expected: what begins after a clip's end counts for nothing, or it is a false alarm; in each package the same.
# Observed: each half of each package has its own rule. For psds_eval a false alarm is what touches the clip, so it sees none: PSDS and
#   F are 1. sed_scores_eval, whose PSDS is said to be the exact one of the same, counts it (PSDS 0.7), in its collar-based and
#   intersection-based F too, and not in its segment-based one. sed_eval counts it by events, and by segments unless it is told
#   the clip's length. With an alarm that begins within the clip, all count it. So a PSDS of one package is not comparable with
#   the other's where clips are shorter than the network's input, as some of DESED's are.
# Seen 2026-12-01:
#   7 to 8 s       psds_eval: PSDS 1.0, F 1.0     sed_scores_eval: PSDS 0.7, F 0.952, collars 0.952, segments 1.0               sed_eval: events 0.952, segments 0.952, told the length 1.0
#   5.9 to 6.9 s   psds_eval: PSDS 0.7, F 0.952   sed_scores_eval: PSDS 0.7, F 0.952, collars 0.952, segments 0.952             sed_eval: events 0.952, segments 0.909, told the length 0.952
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
from sed_eval.sound_event import EventBasedMetrics, SegmentBasedMetrics
from sed_scores_eval import collar_based, intersection_based, segment_based
from sed_scores_eval.base_modules.scores import create_score_dataframe

Events = dict[str, list[tuple[float, float, str]]]
CLASSES = ["Cat", "Dog"]
COLUMNS = ["filename", "onset", "offset", "event_label"]
CLIP_S, INPUT_S = 6.0, 10.0
TRUTH: Events = {f"{n:02}": [(1.0, 2.0, CLASSES[n % 2])] for n in range(20)}
SHARES = {"dtc_threshold": 0.5, "gtc_threshold": 0.5}


def framed(events: Events) -> pd.DataFrame:
    rows = [(clip, *event) for clip, found in events.items() for event in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def by_psds_eval(found: Events) -> dict[str, float]:
    clips = pd.DataFrame({"filename": [*TRUTH], "duration": CLIP_S})
    peer = PSDSEval(ground_truth=framed(TRUTH), metadata=clips, cttc_threshold=0.3, **SHARES)
    peer.add_operating_point(framed(found))
    return {
        "PSDS": peer.psds(alpha_ct=0, alpha_st=0, max_efpr=100).value,
        "F": peer.compute_macro_f_score(framed(found))[0],
    }


def by_sed_scores_eval(found: Events) -> dict[str, float]:
    """Scores of 1 where something is found and 0 elsewhere, every 0.1 s of the network's input."""
    edges_s = np.round(np.arange(round(INPUT_S * 10) + 1) / 10, 1)
    scores = {}
    for clip, events in found.items():
        score_TK = np.zeros((len(edges_s) - 1, len(CLASSES)))
        for onset_s, offset_s, label in events:
            score_TK[round(onset_s * 10) : round(offset_s * 10), CLASSES.index(label)] = 1
        scores[clip] = create_score_dataframe(score_TK, edges_s, CLASSES)
    durations_s = dict.fromkeys(TRUTH, CLIP_S)
    collars = {"onset_collar": 0.2, "offset_collar": 0.2, "offset_collar_rate": 0.2}
    psds, *_ = intersection_based.psds(
        scores, TRUTH, durations_s, alpha_ct=0, alpha_st=0, max_efpr=100, **SHARES
    )
    shares, *_ = intersection_based.fscore(scores, TRUTH, 0.5, **SHARES)
    near, *_ = collar_based.fscore(scores, TRUTH, 0.5, **collars)
    segments, *_ = segment_based.fscore(scores, TRUTH, durations_s, 0.5, segment_length=1.0)
    f_scores = {"F": shares, "collars": near, "segments": segments}
    return {"PSDS": psds} | {name: f_score["macro_average"] for name, f_score in f_scores.items()}


def by_sed_eval(found: Events) -> dict[str, float]:
    events = EventBasedMetrics(CLASSES, t_collar=0.2, percentage_of_length=0.2)
    segments, told = (SegmentBasedMetrics(CLASSES, time_resolution=1.0) for _ in range(2))
    for clip in TRUTH:
        lists = [
            MetaDataContainer([dict(zip(COLUMNS, (clip, *event), strict=True)) for event in each[clip]])
            for each in (TRUTH, found)
        ]
        events.evaluate(*lists)
        segments.evaluate(*lists)
        told.evaluate(*lists, evaluated_length_seconds=CLIP_S)
    metrics = {"events": events, "segments": segments, "told the length": told}
    return {
        name: each.results_class_wise_average_metrics()["f_measure"]["f_measure"]
        for name, each in metrics.items()
    }


values = {}
for onset_s, offset_s in ((7.0, 8.0), (5.9, 6.9)):
    found = {clip: list(events) for clip, events in TRUTH.items()}
    for n, label in enumerate(CLASSES):
        found[f"{n:02}"].append((onset_s, offset_s, label))
    packages = {
        "psds_eval": by_psds_eval(found),
        "sed_scores_eval": by_sed_scores_eval(found),
        "sed_eval": by_sed_eval(found),
    }
    values[onset_s] = {package: [round(float(v), 3) for v in each.values()] for package, each in packages.items()}
    texts = [
        f"{package}: " + ", ".join(f"{name} {round(float(value), 3)}" for name, value in each.items())
        for package, each in packages.items()
    ]
    print(f"{f'{onset_s:g} to {offset_s:g} s':<14} {texts[0]:<29}  {texts[1]:<76}  {texts[2]}")
expected = {
    7.0: {"psds_eval": [1.0, 1.0], "sed_scores_eval": [0.7, 0.952, 0.952, 1.0], "sed_eval": [0.952, 0.952, 1.0]},
    5.9: {"psds_eval": [0.7, 0.952], "sed_scores_eval": [0.7, 0.952, 0.952, 0.952], "sed_eval": [0.952, 0.909, 0.952]},
}
if values != expected:
    sys.exit("changed: not what was seen when this was written")
PY
