"""`raysed` as a process of its own, and the files that it reads."""

import os
import subprocess
import sys

import yaml

from tests.paths import ROOT

JOB = {
    "name": "tiny",
    "out": "out",
    "classes": ["Cat", "Dog"],
    "roots": {"recorded": "nowhere"},
    "sets": {"weak": {"kind": "recorded", "subset": "weak"}},
}


def run(*arguments, cwd=ROOT):
    command = [sys.executable, "-m", *arguments]
    environment = {**os.environ, "COLUMNS": "80"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


def write(path, content):
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)
