"""Workers that are forked: with what their command was given, ended with it, and only where nothing else is asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.local_cluster import title_of
from tests.tune.runs import wait_for

pytestmark = pytest.mark.ray

TELL = """
import json, os, sys
told = {
    "arguments": sys.argv[1:], "mark": os.environ.get("MARK"), "folder": os.getcwd(), "process": os.getpid(),
    "group": os.getpgrp(), "niceness": os.nice(0), "loaded": sorted({"numba", "ray", "torch"} & sys.modules.keys()),
}
print(json.dumps(told), flush=True)
if "--wait" in sys.argv:
    import time
    time.sleep(600)
"""


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    """What Ray would start as a worker, in a folder of its own."""
    worker = folder / "ray/_private/workers/default_worker.py"
    worker.parent.mkdir(parents=True)
    worker.write_text(TELL)
    command = ["nice", "-n", "3", sys.executable, worker, "--language=PYTHON", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=os.environ | {"MARK": "1"}, stdout=subprocess.PIPE, text=True
    )


def test_a_worker_is_a_fork_with_what_its_command_was_given(tmp_path: Path) -> None:
    told = json.loads(start(tmp_path, "--node-id=7").communicate(timeout=300)[0])
    assert told["loaded"] == ["numba", "torch"], "it would take Ray's settings from another process"
    assert told["arguments"] == ["--node-id=7"]
    assert (told["mark"], told["folder"]) == ("1", str(tmp_path))
    assert told["niceness"] == os.nice(0) + 3
    assert told["group"] == told["process"], "Ray ends the group of a worker"


def test_it_ends_with_its_command(tmp_path: Path) -> None:
    command = start(tmp_path, "--wait")
    assert command.stdout is not None
    process = json.loads(command.stdout.readline())["process"]
    assert title_of(process)
    command.kill()
    command.wait()
    wait_for(lambda: not title_of(process))


def test_one_with_modules_of_its_own_is_left_to_ray(tmp_path: Path) -> None:
    context = {"env_vars": {"PYTHONPATH": "elsewhere"}}
    command = start(tmp_path, f"--serialized-runtime-env-context={json.dumps(context)}")
    assert json.loads(command.communicate(timeout=300)[0])["loaded"] == []
