"""Tests mirror raysed/; parity/ compares with the published implementation's values."""

import os

# Before torch and numpy read them: at the sizes of tests the threads of a pool wait for each other, turning, for longer than
# they work. One takes a quarter to a half of the CPU seconds. What a test starts inherits it.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
