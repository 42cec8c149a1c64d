"""What a driver says of a cluster that it cannot use, before any work."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from ray._raylet import AuthenticationTokenLoader  # type: ignore[missing-module-attribute]

from raysed import ray_cluster as cluster
from raysed.config.space import read_space
from raysed.ray_cluster import start_ray
from raysed.tune.resources import settle_gpus, trials_on
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
    token = AuthenticationTokenLoader.instance().get_raw_token()
    # What private_ray gives its own processes: without the last one Ray looks for it at the outward address.
    environment = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", _ANOTHER_VERSION, address], env=environment,
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
