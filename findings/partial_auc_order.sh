#!/usr/bin/env bash
# Versions: sed_scores_eval 0.0.4, numpy 1.26.4, pandas 2.2.3.
# Input: one clip of 100 s in segments of 1 s; every segment with an event scores higher than every one without.
# Expected: a segment-based area under the ROC curve up to a false-positive rate of 0.1 (DCASE 2024's mpAUC) of 1.
# Observed: 1 with 5 events, 0.871 with 40. The points of a curve are sorted by their false-positive rate alone, with
#   numpy's default sort, which does not keep the order of equal ones beyond 16 of them; the step then starts at any of
#   their true-positive rates. With a stable sort the value is 1. On real scores (DCASE 2023's baseline with BEATs, 12
#   clips) the mean over classes is 0.647 instead of 0.682. Which points change places depends on the version of numpy:
#   2.3.5 happens to give 1 for this input.
# Seen 2026-11-30:
#   a perfect ranking of 5 events: 1.000, of 40 events: 0.871
#   the same 40 events where numpy.argsort is stable: 1.000
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
export MPLCONFIGDIR="$work"
cd "$work"
"${PYTHON:-python3}" -m venv venv
# sed_scores_eval comes as source and is compiled here (needs a C compiler).
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  sed_scores_eval==0.0.4 sed_eval==0.2.1 dcase_util==0.2.20 numpy==1.26.4 scipy==1.17.1 \
  pandas==2.2.3 pytz==2026.6 tzdata==2026.6 python-dateutil==2.9.0.post0 six==1.17.0 future==1.0.0 \
  setuptools==65.5.0 PyYAML==6.0.3 validators==0.36.0 einops==0.8.2 lazy-dataset==0.0.15 librosa==0.11.0 \
  lazy-loader==0.6 packaging==26.3 soundfile==0.14.0 cffi==2.1.1 pycparser==3.12 typing_extensions==4.16.0 \
  matplotlib==3.11.2 contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 kiwisolver==1.5.1 pillow==13.0.0 \
  pyparsing==3.3.3 requests==2.34.2 urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2

venv/bin/python -W ignore - <<'PY'
import sys

import numpy as np
from sed_scores_eval import segment_based
from sed_scores_eval.base_modules.scores import create_score_dataframe


def partial_auc(n_events: int) -> float:
    """One clip of 100 s: the events' seconds have the highest scores, so that all are found before a false alarm."""
    scores = np.linspace(0.4, 0.1, 100)
    scores[: 2 * n_events : 2] = np.linspace(0.9, 0.8, n_events)
    truth = {"a": [(2.0 * i, 2.0 * i + 1.0, "x") for i in range(n_events)]}
    frame = create_score_dataframe(scores[:, None], np.arange(101.0), ["x"])
    found, _ = segment_based.auroc(
        {"a": frame}, truth, {"a": 100.0}, segment_length=1.0, max_fpr=0.1
    )
    return float(found["mean"])


few, many = partial_auc(5), partial_auc(40)
print(f"a perfect ranking of 5 events: {few:.3f}, of 40 events: {many:.3f}")
original = np.argsort
np.argsort = lambda values, *rest, **named: original(values, kind="stable")
stable = partial_auc(40)
np.argsort = original
print(f"the same 40 events where numpy.argsort is stable: {stable:.3f}")
if abs(stable - 1) > 1e-12 or many > 0.999:
    sys.exit("changed: the order of points of equal false-positive rate no longer matters")
PY
