"""A Ray of one's own lets nobody in, from this machine or another, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from raysed import local_ray
from raysed.local_ray import init_ray, private_ray, short_parent
from tests.data.processes import workers
from tests.paths import ROOT


def test_a_ray_that_is_slow_to_start_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        "The current node timed out during startup.",
        "The current node timed out during startup.",
    ]
    calls: list[dict] = []

    def init(**where: object) -> None:
        calls.append(where)
        if said:
            raise Exception(said.pop())

    monkeypatch.setattr(local_ray.ray, "init", init)
    init_ray(num_cpus=2)
    assert calls == [{"num_cpus": 2}] * 3
    said += ["The current node timed out during startup."] * 3
    with pytest.raises(Exception, match="timed out"):
        init_ray()
    assert not said
    said.append("no such address")
    with pytest.raises(Exception, match="no such address"):
        init_ray()
    assert len(calls) == 7


def listened_at(process: int) -> list[IPv4Address | IPv6Address]:
    """Addresses of TCP sockets at which a process takes connections."""
    held = set()
    for file in Path(f"/proc/{process}/fd").glob("*"):
        with suppress(OSError):  # closed meanwhile
            held.add(str(file.readlink()))
    rows = [
        line.split()
        for version in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{version}").read_text().splitlines()[1:]
    ]
    return [
        address_of(r[1].split(":")[0]) for r in rows if r[3] == "0A" and f"socket:[{r[9]}]" in held
    ]


def address_of(digits: str) -> IPv4Address | IPv6Address:
    """An address as the kernel shows it: words of 4 bytes, the lowest byte first."""
    packed = b"".join(bytes.fromhex(digits[n : n + 8])[::-1] for n in range(0, len(digits), 8))
    if len(packed) == 4:
        return IPv4Address(packed)
    return IPv6Address(packed).ipv4_mapped or IPv6Address(packed)


@pytest.fixture
def worker(ray_session: None) -> int:
    """The process of a task."""
    import ray

    return ray.get(ray.remote(num_cpus=1)(lambda: os.getpid()).remote())


@pytest.mark.ray
def test_every_socket_is_on_loopback(worker: int) -> None:
    listening = {process: listened_at(process) for process in workers("")}
    names = {
        Path(f"/proc/{process}/comm").read_text().strip() for process, at in listening.items() if at
    }
    assert listening[worker] and {"gcs_server", "raylet"} <= names
    assert all(address.is_loopback for found in listening.values() for address in found)


@pytest.mark.ray
def test_no_process_that_nobody_hears(worker: int) -> None:
    commands = [Path(f"/proc/{process}/cmdline").read_text() for process in workers("")]
    assert any("gcs_server" in command for command in commands)
    unheard = ("log_monitor.py", "autoscaler/_private/monitor.py", "dashboard/dashboard.py")
    assert not [command for command in commands for name in unheard if name in command]


_UNINVITED = """
import sys
import ray
from raysed.ray_cluster import start_ray
try:
    start_ray(sys.argv[1])
    ray.get(ray.remote(print).remote())
except ValueError as error:
    print(error)
"""


@pytest.mark.ray
@pytest.mark.parametrize(
    "environment", [{}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}]
)
def test_a_process_without_the_token_is_refused(
    ray_session: None, environment: dict[str, str], tmp_path: Path
) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    assert address.startswith("127.0.0.1:") and "RAY_AUTH_TOKEN" not in os.environ
    done = subprocess.run(
        [sys.executable, "-c", _UNINVITED, address],
        cwd=ROOT, env={**os.environ, "HOME": str(tmp_path), **environment},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.stdout.startswith(f"the Ray at {address} refuses us"), done.stdout + done.stderr


@pytest.mark.ray
def test_its_files_are_in_a_private_folder(ray_session: None) -> None:
    from ray._private.worker import _global_node

    folder = Path(_global_node.get_session_dir_path()).parent.parent
    assert folder.name.startswith("raysed-ray-")
    assert folder.stat().st_mode & 0o777 == 0o700 and folder.stat().st_uid == os.getuid()


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    # The Ray of the session needs its own.
    monkeypatch.setattr(local_ray, "read_token_anew", lambda: None)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a user's own")
    before = dict(os.environ)
    with private_ray():
        first = os.environ["RAY_AUTH_TOKEN"]
        assert local_ray.ray_constants.ENABLE_RAY_CLUSTER is False
    with private_ray():
        assert os.environ["RAY_AUTH_TOKEN"] not in (first, "a user's own")
    assert dict(os.environ) == before and local_ray.ray_constants.ENABLE_RAY_CLUSTER is True


def test_a_long_temporary_folder_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert short_parent() == Path("/tmp")
    monkeypatch.setenv("RAY_TMPDIR", "/var/tmp")
    assert short_parent() == Path("/var/tmp")
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    monkeypatch.delenv("RAY_TMPDIR")
    assert short_parent() == Path("/dev/shm")


def test_no_folder_is_short_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_ray.os, "access", lambda path, how: False)
    with pytest.raises(ValueError, match=r"at most \d+ characters .* set RAY_TMPDIR"):
        short_parent()


_DRIVER = """
import os, signal, sys
from pathlib import Path
from ray._private import worker
from raysed.ray_cluster import start_ray
start_ray()
print(Path(worker._global_node.get_session_dir_path()).parent.parent, flush=True)
if sys.argv[1:] == ["die"]:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.ray
@pytest.mark.slow
def test_a_killed_drivers_ray_leaves_nothing_to_the_next_and_a_long_folder_is_no_end() -> None:
    with tempfile.TemporaryDirectory(prefix="rs-", dir="/tmp") as parent:
        deep = Path(parent, "x" * 100)
        deep.mkdir()
        environment = {**os.environ, "TMPDIR": str(deep), "RAY_TMPDIR": parent}
        killed, ended = (
            subprocess.run(
                [sys.executable, "-c", _DRIVER, *arguments], cwd=ROOT, env=environment,
                stdout=subprocess.PIPE, text=True, timeout=600, check=False,
            )
            for arguments in (["die"], [])
        )  # fmt: skip
        assert (killed.returncode, ended.returncode) == (-signal.SIGKILL, 0)
        folders = {Path(said.stdout.strip()) for said in (killed, ended)}
        assert len(folders) == 2 and all(folder.parent == Path(parent) for folder in folders)
        assert list(Path(parent).iterdir()) == [deep]
