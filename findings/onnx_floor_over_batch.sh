#!/usr/bin/env bash
# Versions: openwakeword 0.4.0 (its file melspectrogram.onnx), onnxruntime 1.32.0, numpy 2.3.5.
# Input: one second of soft noise (int16 values as float32, 16 kHz), alone and in a batch with one second of loud noise.
# Expected: the same log-mel for the soft clip, whatever else is in the batch.
# Observed: its smallest value rises from 3.2 to 13.2. The log-mel is floored 80 dB under the largest value, and the graph takes
#   that over the whole batch. With two clips at a time, the same clip has other features beside another one. The
#   package's own code gives the file one clip at a time on a CPU, and whole batches on a GPU.
# Seen 2026-11-30:
#   alone: 3.2 to 24.0; beside a loud clip: 13.2 to 24.0; largest difference 10.1
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  openwakeword==0.4.0 onnxruntime==1.32.0 numpy==2.3.5 flatbuffers==25.12.19 packaging==26.3 protobuf==7.36.2

venv/bin/python -W ignore - <<'PY'
import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnxruntime

package = Path(importlib.util.find_spec("openwakeword").origin).parent
front_end = onnxruntime.InferenceSession(str(package / "resources/models/melspectrogram.onnx"))
random = np.random.default_rng(0)
soft, loud = (random.normal(0, scale, 16000).astype(np.float32) for scale in (3, 8000))
(alone,) = front_end.run(None, {"input": soft[None]})
(beside,) = front_end.run(None, {"input": np.stack([soft, loud])})
alone, beside = alone[0], beside[0]
difference = np.abs(alone - beside).max()
print(
    f"alone: {alone.min():.1f} to {alone.max():.1f}; beside a loud clip: {beside.min():.1f} to {beside.max():.1f};"
    f" largest difference {difference:.1f}"
)
if difference < 1e-3:
    sys.exit("changed: a clip's log-mel no longer depends on the rest of its batch")
PY
