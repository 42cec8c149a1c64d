"""Fixtures that cost too much to set up in every test, and what makes every test find the same world."""

import gc
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# Slow machines; Ray gives its head up after 30 s otherwise.
os.environ["RAY_gcs_server_port_wait_time_s"] = "240"  # noqa: SIM112  Ray's own name
# Every 5 s Ray looks at all processes for a dashboard that nobody opens.
os.environ["REPORTER_UPDATE_INTERVAL_MS"] = "3600000"
# Tests start Rays of their own, a user's cluster is none of their business; and they read help without colours.
for name in ("RAY_ADDRESS", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"):
    os.environ.pop(name, None)

# Without a GPU, Triton's interpreter runs its kernels. Triton asks when it is imported, which torch may do early.
if not Path("/dev/nvidiactl").exists():
    os.environ["TRITON_INTERPRET"] = "1"

# The same cases on every machine, however slow: a property fails because the code is wrong, not by chance.
# To search anew: pytest --hypothesis-profile=default
hypothesis.settings.register_profile(
    "raysed",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# Of `make quick`.
hypothesis.settings.register_profile(
    "quick", hypothesis.settings.get_profile("raysed"), max_examples=20
)
hypothesis.settings.load_profile("raysed")


def pytest_collection_finish() -> None:
    """What is loaded by now stays. Looking for garbage in it takes a twentieth of the tests' CPU seconds."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws without a seed of its own does not depend on the tests before it."""
    random.seed(0)
    np.random.seed(0)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def warm(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where there are tests with Ray, its workers are forked from a process that has all imports."""
    if not any(item.get_closest_marker("ray") for item in request.session.items):
        yield
        return
    from tests.warm_workers import warm_workers

    with warm_workers():
        yield


@pytest.fixture(scope="session")
def ray_session(warm: None) -> Iterator[None]:
    """One local Ray of two logical CPUs for the whole run of pytest: it has as many trials at once, each in a process of 4 CPU s."""
    import ray

    from raysed.local_ray import start_local

    start_local(num_cpus=2, num_gpus=0, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One tree of sounds and built data sets for all tests of runs."""
    from tests.tune.tiny import write_tiny_tree

    root = tmp_path_factory.mktemp("tiny")
    write_tiny_tree(root)
    return root
