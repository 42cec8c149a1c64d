"""The kernels of the fused block compile for GPUs; what Triton's interpreter takes, its compiler may refuse."""

import os
import re
import subprocess
import sys

import pytest

from tests.paths import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(("capability", "storage"), [("90", "float32"), ("80", "bfloat16")])
def test_all_kernels_compile_within_their_shared_memory(capability, storage):
    command = ["-m", "benchmarks.triton_compile", "--capability", capability, "--storage", storage]
    # This process may have told Triton to interpret.
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kernels = set(
        re.findall(
            r"(map_moments|finish_norm|gate_forward|gate_backward|given_backward|finish_gradient|map_gradient)",
            done.stdout,
        )
    )
    assert len(kernels) == 7
