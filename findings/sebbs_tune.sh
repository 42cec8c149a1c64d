#!/usr/bin/env bash
# Versions: sebbs 1.0.2, sed_scores_eval_np2 0.0.4, numpy 2.4.6, pandas 2.3.3 and 3.1.1.
# Input: one clip of 10 s with one event, found exactly, and csebbs.tune with each of the package's own selection functions, as
#   its docstring says; then the same in two steps, a predictor that is told its classes and select_best_psds.
# Expected: tune returns the best predictor and its value, on either pandas.
# Observed: tune ends with a TypeError for each of the three: its grid is made of predictors without class names, which the
#   selection functions ask for. In two steps it works with pandas 2. With pandas 3 select_best_psds ends with a ValueError:
#   arrays out of a DataFrame are read-only there, and a compiled part takes writable ones only.
# Seen 2026-11-30:
#   pandas 2.3.3  tune: TypeError, TypeError, TypeError; two steps: 1.0
#   pandas 3.1.1  tune: TypeError, TypeError, TypeError; two steps: ValueError
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
export MPLCONFIGDIR="$work"
cd "$work"
"${PYTHON:-python3}" -m venv venv
# sed_scores_eval_np2 comes as source and is compiled here (needs a C compiler).
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  sebbs==1.0.2 sed_scores_eval_np2==0.0.4 sed_eval==0.2.1 dcase_util==0.2.20 numpy==2.4.6 scipy==1.17.1 \
  pandas==2.3.3 pytz==2026.6 tzdata==2026.6 python-dateutil==2.9.0.post0 six==1.17.0 future==1.0.0 \
  setuptools==65.5.0 PyYAML==6.0.3 validators==0.36.0 einops==0.8.2 lazy-dataset==0.0.15 librosa==0.11.0 \
  lazy-loader==0.6 packaging==26.3 soundfile==0.14.0 cffi==2.1.1 pycparser==3.12 typing_extensions==4.16.0 \
  matplotlib==3.11.2 contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 kiwisolver==1.5.1 pillow==13.0.0 \
  pyparsing==3.3.3 requests==2.34.2 urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2 \
  tqdm==4.70.1

cat > tuned.py <<'PY'
import numpy as np
import pandas as pd
from sebbs import csebbs
from sed_scores_eval.base_modules.scores import create_score_dataframe

EDGES_S = np.arange(101) / 10
TRUTH, DURATIONS_S = {"clip": [(3.0, 5.0, "Dog")]}, {"clip": 10.0}
SELECTIONS = ("select_best_psds", "select_best_cbf", "select_best_psds_and_cbf")


def scores():
    found = np.full((100, 1), 0.05)
    found[30:50] = 0.9
    return {"clip": create_score_dataframe(found, EDGES_S, ["Dog"])}


def ends_with(call):
    try:
        return str(call())
    except (TypeError, ValueError) as error:
        return type(error).__name__


def two_steps():
    predictor = csebbs.CSEBBsPredictor(0.48, 0.15, 2.0, sound_classes=["Dog"])
    tried = [(predictor, predictor.predict(scores()))]
    return float(csebbs.select_best_psds(tried, TRUTH, DURATIONS_S)[1]["Dog"])


tuned = [
    ends_with(lambda: csebbs.tune(scores(), TRUTH, DURATIONS_S, selection_fn=getattr(csebbs, name))[1])
    for name in SELECTIONS
]
print(f"pandas {pd.__version__}  tune: {', '.join(tuned)}; two steps: {ends_with(two_steps)}")
PY

found=$(venv/bin/python tuned.py 2>/dev/null)
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile pandas==3.1.1
found="$found
$(venv/bin/python tuned.py 2>/dev/null)"
echo "$found"
seen="pandas 2.3.3  tune: TypeError, TypeError, TypeError; two steps: 1.0
pandas 3.1.1  tune: TypeError, TypeError, TypeError; two steps: ValueError"
if [ "$found" != "$seen" ]; then
  echo "changed: not what was seen when this was written" >&2
  exit 1
fi
