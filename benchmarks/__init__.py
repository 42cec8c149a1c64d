"""Benchmarks: one script for each stage, with ratios from paired runs in one process; `python -m
benchmarks.NAME`.
"""

import os

# Before any library reads them: ratios are those of one thread.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
