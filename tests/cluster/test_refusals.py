"""What a driver says of a cluster that it cannot use, before any work."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from raysed import ray_cluster as cluster
from raysed.config.space import read_space
from raysed.exit_codes import StoppedError, ending
from raysed.ray_cluster import start_ray
from raysed.tune.resources import settle_gpus, trials_on
from tests import session_ray
from tests.cluster.local_cluster import free_ports
from tests.paths import ROOT


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_an_address_where_no_ray_is(monkeypatch, host):
    monkeypatch.setattr(cluster.ray, "is_initialized", lambda: False)
    # The Ray of the session needs its own.
    monkeypatch.setattr(cluster, "read_token_anew", lambda: None)
    address = f"{host}:{free_ports(1)[0]}"
    with pytest.raises(ValueError, match=rf"^no Ray answers at {address}: "):
        start_ray(address)


@pytest.fixture
def joining(monkeypatch):
    """A process that has no Ray yet, and what `ray.init` does there."""
    monkeypatch.setattr(cluster.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(cluster, "read_token_anew", lambda: None)
    monkeypatch.setattr(cluster, "_check_answer", lambda address: None)

    def fails_with(error: Exception) -> None:
        def fail(**where):
            raise error

        monkeypatch.setattr(cluster, "init_ray", fail)
        monkeypatch.setattr(cluster, "start_local", fail)

    return fails_with


def test_addresses_that_only_the_user_can_mend(joining, monkeypatch):
    def none_found(address):
        raise ConnectionError("Could not find any running Ray instance.")

    monkeypatch.setattr(cluster, "canonicalize_bootstrap_address", none_found)
    with pytest.raises(ValueError, match=r"the Ray at auto cannot be used: Could not find any"):
        start_ray("auto")
    with pytest.raises(
        ValueError, match=r"ray://h:1: Ray's client .* cannot drive raysed: give HOST:PORT"
    ):
        start_ray("ray://h:1")
    joining(RuntimeError("No node info found matching attributes: '10.0.0.1'"))
    with pytest.raises(ValueError, match="has no node on this machine: run the command on one of"):
        start_ray("h:1")


@pytest.mark.parametrize("address", ["", "nonsense", "h:port"])
def test_what_is_no_address(address):
    with pytest.raises(ValueError, match=r"is no address of a Ray: expected HOST:PORT, or auto"):
        cluster._check_answer(address)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(13, "Permission denied", "/tmp/x"), 2),
        (OSError(30, "Read-only file system", "/tmp/x"), 2),
        (OSError(28, "No space left on device"), 3),
        (RuntimeError("The current node timed out during startup"), 3),
    ],
)
def test_a_ray_that_does_not_start_here(joining, error, code):
    joining(error)
    with pytest.raises(
        (ValueError, StoppedError), match="a Ray on this machine cannot be used"
    ) as told:
        start_ray()
    assert ending(told.value).code == code


def test_rays_own_local_start_which_has_no_token_is_not_used(joining):
    joining(PermissionError(13, "Permission denied", "/tmp/x"))
    with pytest.raises(ValueError, match="a Ray on this machine cannot be used"):
        start_ray("local")


_ANOTHER_VERSION = """
import sys
import ray
from raysed.ray_cluster import start_ray

ray.__version__ = "2.50.0"
try:
    start_ray(sys.argv[1])
except ValueError as error:
    print(error)
"""


@pytest.mark.ray
def test_another_version_of_ray(ray_session):
    address = cluster.ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, "-c", _ANOTHER_VERSION, address], env={**os.environ, **session_ray.joining()},
        cwd=ROOT, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.stdout.startswith(f"the Ray at {address} is of another version."), done.stderr
    assert f"Ray: {cluster.ray.__version__}" in done.stdout and "Ray: 2.50.0" in done.stdout


@pytest.mark.parametrize(
    ("gpus", "nodes", "have"),
    [
        (1.0, [{"CPU": 8.0}], r"\[\{'CPU': 8.0, 'GPU': 0\}\]"),
        (2.0, [{"CPU": 8.0, "GPU": 1.0}] * 2, r"\[\{'CPU': 8.0, 'GPU': 1.0\}, "),
    ],
)
def test_gpus_that_no_node_has(monkeypatch, gpus, nodes, have):
    monkeypatch.chdir(ROOT)
    resolved = read_space("tune_spaces/ablation.yaml", unset=[])
    asked_for = resolved.space.resources.model_copy(update={"gpus_per_worker": gpus})
    space = resolved.space.model_copy(update={"resources": asked_for})
    settled = settle_gpus(replace(resolved, space=space), nodes)
    with pytest.raises(ValueError, match=rf"a trial needs 1 x .*'GPU': {gpus}.* nodes have {have}"):
        trials_on(settled, nodes)


def test_a_cluster_whose_workers_are_not_there_yet(monkeypatch):
    monkeypatch.chdir(ROOT)
    resolved = settle_gpus(read_space("tune_spaces/ablation.yaml", unset=[]), [{"memory": 1.0}])
    with pytest.raises(ValueError, match="no node of the cluster has CPUs yet"):
        trials_on(resolved, [{"memory": 1.0}])
