#!/usr/bin/env bash
# Versions: desed 1.3.8, numpy 2.3.5, pandas 2.3.3 and 3.1.1. Of desed only `post_process` is loaded, without what the package
#   asks for to download and to synthesise.
# Input: labels of clips of 10 s, put through the clean-up that makes the ground truth of DESED's soundscapes
#   (`post_process_df_labels`): barks of 0.2 s, some at the end, one event that passes the end and one that begins before 0 s.
# Expected: what is shorter than 250 ms becomes 250 ms long, at the end of a clip as far as there is room; what lies outside the clip is
#   cut to it. The version of pandas is no matter.
# Observed: a short event that has no room for 250 ms is deleted, though it is heard: the bark from 9.8 to 10.0 s is gone, the one
#   from 9.7 to 10.0 s stays. Scaper moves what would pass the end so that it ends there, so of barks that are placed evenly
#   one of 40 has no label, and whoever finds it has a false alarm. With pandas 3 nothing is cut to the clip any more: the cut is done
#   in place on a column, which changes a copy there, so labels from -0.1 s and to 10.4 s stay as they are. It warns of that.
# Seen 2026-12-01:
#   pandas 2.3.3  bark 5.0-5.2: 5.0-5.25   9.7-10.0: 9.7-10.0   9.8-10.0: deleted   9.0-10.4: 9.0-10.0   -0.1-0.5: 0.0-0.5   evenly: 5 of 200 deleted
#   pandas 3.1.1  bark 5.0-5.2: 5.0-5.25   9.7-10.0: 9.7-10.0   9.8-10.0: deleted   9.0-10.4: 9.0-10.4   -0.1-0.5: -0.1-0.5   evenly: 5 of 200 deleted
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  desed==1.3.8 pandas==2.3.3 numpy==2.3.5 pytz==2026.6 tzdata==2026.6 python-dateutil==2.9.0.post0 six==1.17.0 \
  soundfile==0.14.0 cffi==2.1.1 pycparser==3.12 typing_extensions==4.16.0 jams==0.3.5 jsonschema==4.26.0 \
  jsonschema-specifications==2025.9.1 referencing==0.37.0 rpds-py==2026.9.1 attrs==26.1.0 mir_eval==0.8.2 \
  scipy==1.17.1 sortedcontainers==2.4.0 decorator==5.3.1 requests==2.34.2 urllib3==2.8.0 idna==3.20 \
  certifi==2026.10.18 charset-normalizer==3.5.2

cat >labels.py <<'PY'
import importlib.util
import logging
import sys
import types

import pandas as pd

# The package's own first lines load what downloads and synthesises.
package = types.ModuleType("desed")
package.__path__ = importlib.util.find_spec("desed").submodule_search_locations
sys.modules["desed"] = package
from desed.post_process import post_process_df_labels

logging.disable(logging.INFO)
CLIP_S = 10.0
GIVEN_S = [(5.0, 5.2), (9.7, 10.0), (9.8, 10.0), (9.0, 10.4), (-0.1, 0.5)]


def cleaned(spans: list[tuple[float, float]]) -> list[str]:
    """What becomes of each span, in a clip of its own."""
    rows = [(f"{n:03}.wav", onset_s, offset_s, "Dog") for n, (onset_s, offset_s) in enumerate(spans)]
    table = pd.DataFrame(rows, columns=["filename", "onset", "offset", "event_label"])
    left = post_process_df_labels(table, CLIP_S).set_index("filename")
    return [
        f"{left.onset[name]:.4}-{left.offset[name]:.4}" if name in left.index else "deleted"
        for name, *_ in rows
    ]


made = cleaned(GIVEN_S)
starts_s = [min(0.05 * n + 0.025, CLIP_S - 0.2) for n in range(200)]
evenly = cleaned([(onset_s, onset_s + 0.2) for onset_s in starts_s]).count("deleted")
texts = [f"{onset_s}-{offset_s}: {text}" for (onset_s, offset_s), text in zip(GIVEN_S, made, strict=True)]
print(f"pandas {pd.__version__}  bark {'   '.join(texts)}   evenly: {evenly} of 200 deleted")
outside = ["9.0-10.0", "0.0-0.5"] if pd.__version__ < "3" else ["9.0-10.4", "-0.1-0.5"]
if made != ["5.0-5.25", "9.7-10.0", "deleted", *outside] or not 0 < evenly < 10:
    sys.exit("changed: not what was seen when this was written")
PY
venv/bin/python -W ignore labels.py
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile pandas==3.1.1
venv/bin/python -W ignore labels.py
