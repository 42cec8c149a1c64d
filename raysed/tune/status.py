"""`status.json`: how a run stands and how it really ended (a job's own exit code is not passed on by Ray)."""

import importlib.metadata
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from raysed import __version__
from raysed.data.folder import Folder
from raysed.training.files import write_json

_PACKAGES = ("torch", "ray", "numpy", "scaper", "pyarrow", "psds_eval", "sed_eval")


def write_status(run: Folder, state: str, *, exit_code: int | None = None, **about: Any) -> None:
    """State, exit code where it has ended, heartbeat (seconds since 1970), versions and commit."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    write_json(
        run,
        "status.json",
        {
            "state": state,
            "exit_code": exit_code,
            "heartbeat": time.time(),
            "pid": os.getpid(),
            "versions": {"raysed": __version__, **versions},
            "commit": _commit(),
            **about,
        },
    )


def _commit() -> str | None:
    """The git commit of the code, or None outside a checkout."""
    command = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
    ]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
