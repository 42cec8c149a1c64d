#!/usr/bin/env bash
# Versions: ray 2.58.0, Python 3.11. No GPU is needed.
# Input: a task whose first line imports a package that takes seconds (as numba, librosa or torch do); ray.cancel(task)
#   while it does; then the same task again.
# Expected: a cancelled task leaves nothing behind: the worker goes on as new, or is replaced.
# Observed: ray.cancel raises KeyboardInterrupt within the import, and Ray gives the next task to the same process. Python
#   takes the package out of sys.modules but leaves its submodules, which the next import finds but does not bind again:
#   it fails there for good, with an AttributeError that speaks of a circular import. With force=True the process ends,
#   and the next task's import is whole.
# Seen 2026-12-01:
#   ray.cancel(task)              same process: True   next import: AttributeError: partially initialized module 'slow' has no attribute 'part' (most likely due to a circular import)
#   ray.cancel(task, force=True)  same process: False  next import: ok
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

# A package of ordinary form: it imports a submodule, then something slow, and then uses the submodule by its full name.
mkdir -p packages/slow
cat >packages/slow/__init__.py <<'PY'
import pathlib
import time

import slow.part

pathlib.Path("begun").touch()
time.sleep(3)
value = slow.part.value
PY
echo 'value = 1' >packages/slow/part.py

export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=180 PYTHONPATH=$work/packages WORK=$work
venv/bin/python -W ignore - <<'PY'
import os
import sys
import time
from pathlib import Path

import ray

WORK = Path(os.environ["WORK"])
BEGUN = WORK / "begun"


@ray.remote(num_cpus=1)
def use() -> tuple[int, str]:
    os.chdir(WORK)
    (WORK / "pid").write_text(str(os.getpid()))
    try:
        import slow
    except Exception as error:
        return os.getpid(), f"{type(error).__name__}: {error}"
    return os.getpid(), "ok" if slow.value == 1 else "another value"


def after_cancel(force: bool) -> tuple[bool, str]:
    """Whether the next task has the cancelled one's process, and how its import went."""
    ray.init(num_cpus=1, include_dashboard=False, logging_level="error", log_to_driver=False)
    BEGUN.unlink(missing_ok=True)
    task = use.remote()
    while not BEGUN.exists():
        time.sleep(0.05)
    first = int((WORK / "pid").read_text())
    ray.cancel(task, force=force)
    try:
        ray.get(task, timeout=120)
        sys.exit("changed: the cancelled task returned")
    except ray.exceptions.GetTimeoutError:
        sys.exit("changed: the cancelled task neither returned nor failed")
    except ray.exceptions.RayError:
        pass
    then, outcome = ray.get(use.remote(), timeout=120)
    ray.shutdown()
    return then == first, outcome


gentle, forced = after_cancel(False), after_cancel(True)
print(f"ray.cancel(task)              same process: {gentle[0]!s:<5}  next import: {gentle[1]}")
print(f"ray.cancel(task, force=True)  same process: {forced[0]!s:<5}  next import: {forced[1]}")
if not gentle[0] or not gentle[1].startswith("AttributeError"):
    sys.exit("changed: a task cancelled amid an import no longer leaves its worker with half a package")
if forced != (False, "ok"):
    sys.exit("changed: by force the next task does not get a whole package in a new process")
PY
