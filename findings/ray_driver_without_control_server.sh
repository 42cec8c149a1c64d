#!/usr/bin/env bash
# Versions: ray 2.58.0, Python 3.11. No GPU is needed.
# Input: a driver that started its own Ray and sleeps; its control server (gcs_server) ends, as when a head node is lost.
# Expected: a driver that does nothing goes on to cost nothing, and hears of the loss, or waits for the server's return.
# Observed: the thread in which the driver listens to error messages asks again without a pause: the sleeping driver takes
#   more than half a core, for as long as this was watched. Fewer than 1 % of one before.
# Seen 2026-12-01:
#   a sleeping driver takes 0.00 cores with its control server, 0.87 without
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH RAY_ADDRESS CUDA_VISIBLE_DEVICES
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  ray==2.58.0 click==8.5.1 filelock==4.3.1 jsonschema==4.26.0 jsonschema-specifications==2025.9.1 referencing==0.37.0 \
  rpds-py==2026.9.1 attrs==26.1.0 msgpack==1.2.4 packaging==26.3 protobuf==7.36.2 PyYAML==6.0.3 requests==2.34.2 \
  urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2 typing_extensions==4.16.0

export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=180
venv/bin/python -W ignore - <<'PY'
import os
import sys
import time
from pathlib import Path

import ray

LOOK_S = 10


def cores() -> float:
    """CPU seconds of this process in each second of a sleep."""
    before = time.process_time()
    time.sleep(LOOK_S)
    return (time.process_time() - before) / LOOK_S


def control_server() -> int:
    """The child of this process that is Ray's control server."""
    for folder in Path("/proc/self/task").glob("*"):
        for child in (folder / "children").read_text().split():
            if Path(f"/proc/{child}/exe").resolve().name == "gcs_server":
                return int(child)
    sys.exit("changed: the control server is no child of the driver")


ray.init(num_cpus=1, include_dashboard=False, logging_level="error", log_to_driver=False)
time.sleep(5)
with_it = cores()
os.kill(control_server(), 15)
time.sleep(3)
without_it = cores()
print(f"a sleeping driver takes {with_it:.2f} cores with its control server, {without_it:.2f} without", flush=True)
changed = with_it > 0.1 or without_it < 0.3
if changed:
    print("changed: a driver that listens in vain no longer takes most of a core", file=sys.stderr, flush=True)
# Ray's own end would wait for the server.
os._exit(changed)
PY
