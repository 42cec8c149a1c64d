"""The files of cluster/, as far as they can be checked without a cluster."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from ray._private.ray_constants import get_runtime_env_default_excludes
from ray._private.runtime_env.packaging import GCS_STORAGE_MAX_SIZE, create_package
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.paths import ROOT

CLUSTER = ROOT / "cluster"
# What lies in a checkout in which data were built, runs made and packages installed.
MADE = (
    *(
        "data/x/shard-00000.parquet",
        "runs/x/status.json",
        ".venv/lib/x.py",
        ".git/config",
        "build/x",
    ),
    *("raysed/__pycache__/x.pyc", "raysed.egg-info/PKG-INFO", ".ruff_cache/x"),
)


def read(name: str):
    return yaml.safe_load((CLUSTER / name).read_text())


def kubernetes_specs():
    return [read("raycluster.yaml")["spec"], read("rayjob.yaml")["spec"]["rayClusterSpec"]]


def pods(spec):
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def pinned(package: str) -> str:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return next(line.split("==")[1] for line in lines if line.startswith(f"{package}=="))


def test_the_launchers_file_fits_rays_schema():
    validate_config(prepare_config(read("ray-up.yaml")))


def test_the_schema_would_notice_a_wrong_key():
    content = prepare_config(read("ray-up.yaml"))
    with pytest.raises(Exception, match="max_wrkers"):
        validate_config(content | {"max_wrkers": 1})


def test_the_job_brings_the_clusters_own_spec():
    cluster, job = kubernetes_specs()
    assert cluster == job


def test_kubernetes_kinds_and_versions():
    for name, kind in (("raycluster.yaml", "RayCluster"), ("rayjob.yaml", "RayJob")):
        content = read(name)
        assert (content["apiVersion"], content["kind"]) == ("ray.io/v1", kind)
        assert content["metadata"]["name"]
    for spec in kubernetes_specs():
        assert spec["rayVersion"] == pinned("ray")


def test_worker_groups_state_their_limits_and_one_has_the_gpus():
    for spec in kubernetes_specs():
        groups = {group["groupName"]: group for group in spec["workerGroupSpecs"]}
        for group in groups.values():
            assert 1 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        gpus = {
            name: group["template"]["spec"]["containers"][0]["resources"]["limits"].get(
                "nvidia.com/gpu"
            )
            for name, group in groups.items()
        }
        assert gpus == {"gpu": "8", "cpu": None}


def test_the_launcher_keeps_workers_since_a_run_counts_those_that_are_there():
    kinds = read("ray-up.yaml")["available_node_types"]
    assert kinds["head"]["resources"] == {"CPU": 0}
    assert all(kinds[name]["min_workers"] >= 1 for name in ("gpu", "cpu"))


def test_pods_are_whole():
    for spec in kubernetes_specs():
        for pod in pods(spec):
            (container,) = pod["containers"]
            assert {"name", "image", "resources", "env", "envFrom", "volumeMounts"} <= set(
                container
            )
            # Ray reads its CPUs and memory from the limits, the scheduler from the requests.
            assert container["resources"]["limits"] == container["resources"]["requests"]
            assert {m["name"] for m in container["volumeMounts"]} == {
                volume["name"] for volume in pod["volumes"]
            }
            assert {"/dev/shm", "/cache", "/desed"} == {
                m["mountPath"] for m in container["volumeMounts"]
            }


def test_nothing_is_open_to_the_outside_and_everything_asks_for_a_token():
    for spec in kubernetes_specs():
        assert spec["authOptions"] == {"mode": "token"}
        assert spec["headGroupSpec"]["serviceType"] == "ClusterIP"
        text = json.dumps(spec)
        assert not any(word in text for word in ("hostPort", "hostNetwork", "LoadBalancer"))
    up = (CLUSTER / "ray-up.yaml").read_text()
    assert "RAY_AUTH_MODE=token" in up and "dashboard-host" not in up
    assert "RAY_AUTH_MODE=token" in (CLUSTER / "slurm.sh").read_text()


def test_pods_run_as_an_ordinary_user_without_privileges():
    for spec in kubernetes_specs():
        for pod in pods(spec):
            about = pod["securityContext"]
            assert about["runAsNonRoot"] and about["runAsUser"] == 1000 == about["fsGroup"]
            assert about["seccompProfile"] == {"type": "RuntimeDefault"}
            (container,) = pod["containers"]
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }
    assert "useradd --create-home --uid 1000 ray" in (CLUSTER / "Dockerfile").read_text()


def test_the_network_policy_is_about_these_pods_and_opens_the_dashboard_alone():
    policy = read("networkpolicy.yaml")
    assert (policy["apiVersion"], policy["kind"]) == ("networking.k8s.io/v1", "NetworkPolicy")
    ours = policy["spec"]["podSelector"]["matchLabels"]
    for spec in kubernetes_specs():
        for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]:
            assert group["template"]["metadata"]["labels"] == ours
    among, dashboard = policy["spec"]["ingress"]
    assert among == {"from": [{"podSelector": {"matchLabels": ours}}]}
    assert dashboard["ports"] == [{"protocol": "TCP", "port": 8265}]


def goes_into_the_image(name: str) -> bool:
    """By Docker's rule: a pattern is about the path from the root, or what lies below; `**/` is any depth."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    first, *deeper = name.split("/")
    for pattern in (line for line in lines if not line.startswith("#")):
        assert "/" not in pattern.removeprefix("**/") and "!" not in pattern
        parts = [first, *deeper] if pattern.startswith("**/") else [first]
        if any(fnmatch(part, pattern.removeprefix("**/")) for part in parts):
            return False
    return True


def test_what_goes_into_the_image():
    kept = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE")
    needed = [
        name for name in listed() if name in kept or name.startswith(("raysed/", "tune_spaces/"))
    ]
    assert {"raysed/data/clip.py", *kept} <= set(needed)
    assert [name for name in needed if not goes_into_the_image(name)] == []
    assert [name for name in (*MADE, "tests/conftest.py") if goes_into_the_image(name)] == []


def test_no_file_holds_a_credential():
    for path in CLUSTER.iterdir():
        text = path.read_text()
        assert "AWS_SECRET_ACCESS_KEY=" not in text and "AKIA" not in text, path.name


def test_the_job_names_a_space_that_is_here():
    entrypoint = read("rayjob.yaml")["spec"]["entrypoint"].split()
    assert (ROOT / entrypoint[entrypoint.index("raysed.tune") + 1]).is_file()


def test_roots_of_the_desed_job_are_given_to_every_node():
    job = (ROOT / "data_jobs" / "desed.yaml").read_text()
    for spec in kubernetes_specs():
        for pod in pods(spec):
            names = {variable["name"] for variable in pod["containers"][0]["env"]}
            assert names == {"RAYSED_DATA", "DESED_ROOT", "DESED_METADATA"}
            assert all(name in job for name in names)


def listed() -> list[str]:
    """Files of this checkout that git would keep."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [name for name in said.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def sent(tmp_path_factory) -> list[str]:
    """What Ray's own packer takes of a checkout in which data were built, runs made and packages installed."""
    checkout, package = (
        tmp_path_factory.mktemp("checkout"),
        tmp_path_factory.mktemp("sent") / "p.zip",
    )
    for name in listed():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, checkout / name)
    for name in MADE:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("not to be sent")
    # Those that .gitignore names are left out a second time here: each on its own would do.
    excludes = [*get_runtime_env_default_excludes(), *read("runtime_env.yaml")["excludes"]]
    create_package(str(checkout), package, include_gitignore=False, excludes=excludes)
    assert package.stat().st_size < GCS_STORAGE_MAX_SIZE / 20
    with zipfile.ZipFile(package) as content:
        return [name for name in content.namelist() if not name.endswith("/")]


def test_what_a_job_sends_is_the_whole_package_and_the_configurations(sent):
    whole = ("raysed/", "tune_spaces/", "data_jobs/", "cluster/")
    code = {name for name in listed() if name.startswith(whole)}
    assert {
        "raysed/data/clip.py",
        "raysed/data/build/job.py",
        "raysed/page/assets/page.html",
    } <= code
    assert code <= set(sent)


def test_what_a_job_does_not_send(sent):
    first = {name.split("/")[0] for name in sent}
    assert not first & {"data", "runs", ".venv", ".git", "docs", "tests", "build", ".ruff_cache"}
    assert not [name for name in sent if "__pycache__" in name or ".egg-info" in name]


def test_the_image_installs_what_is_pinned():
    text = (CLUSTER / "Dockerfile").read_text()
    assert "python:3.11" in text and "-c constraints.txt" in text and "libsox-dev" in text
    assert "USER 1000" in text


def test_slurm_script_passes_shellcheck():
    shellcheck = Path(sys.executable).with_name("shellcheck")
    found = subprocess.run([shellcheck, CLUSTER / "slurm.sh"], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


SHIMS = {
    # Two "nodes" on this machine: what srun would start elsewhere starts here.
    "srun": '#!/bin/bash\nwhile [[ "$1" == --* ]]; do shift; done\nexec "$@"\n',
    # More names than a pipe holds: who stops reading after the first one would end the writer with SIGPIPE.
    "scontrol": "#!/bin/bash\nfor _ in $(seq 20000); do echo localhost; done\n",
}


def free_job():
    """A job number whose port (see slurm.sh) nobody has, below those that the system gives to connections."""
    for number in range(os.getpid() % 10_000, 12_000):
        with suppress(OSError), socket.create_server(("127.0.0.1", 20_000 + number)):
            return number
    raise AssertionError("no port is free")


@pytest.mark.ray
@pytest.mark.slow
def test_slurm_script_starts_ray_on_every_node_and_ends_with_the_drivers_code(tmp_path):
    # As a batch system gives them: too long for the path of a socket.
    temporary = tmp_path / ("temporary_folder_of_a_job_" * 4)
    for folder in (tmp_path / "bin", temporary):
        folder.mkdir()
    for name, text in SHIMS.items():
        path = tmp_path / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
    activate = tmp_path / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f'export PATH="{tmp_path}/bin:{Path(sys.executable).parent}:$PATH"\n')
    number = free_job()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("RAY_")},
        "HOME": str(tmp_path),
        "USER": "tester",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(temporary),
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_JOB_ID": str(number),
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_JOB_NODELIST": "localhost",
    }
    job = subprocess.Popen(
        ["bash", CLUSTER / "slurm.sh", "missing.yaml"],
        env=environment, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        job.wait(timeout=1200)
    finally:
        # Slurm ends a job's steps with it.
        with suppress(ProcessLookupError):  # they have ended
            os.killpg(job.pid, signal.SIGTERM)
    text = job.stdout.read()
    assert job.returncode == 2, text
    assert "missing.yaml" in text and "not all" not in text and "Draining" not in text, text
    assert not list(tmp_path.glob(".raysed-token-*"))
    assert not list(Path("/tmp").glob(f"raysed-{number}-*"))
