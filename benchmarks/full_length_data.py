"""The data sets of the proof at full length and the losses of its first steps: made on CPUs beforehand, and carried."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
import typer

from benchmarks.gpu_parts import relative
from benchmarks.parts import MIB, join_parts, write_parts
from raysed.config.data_job import DataJob
from raysed.config.space import ResolvedSpace
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet, open_dataset
from raysed.exit_codes import DONE, HOLES
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json
from raysed.storage.node_cache import cache_dir
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer

CHECKED_STEPS = 50
CPU_LOSSES = "losses_cpu.json"
"""In the job's folder of data sets."""
RECORDINGS = "recordings"
"""Folder beside the data sets, at the other end: names and sizes of the recordings, and the tables that list them."""
PARTS = "data.json"
_PART_BYTES = 54 * MIB
"""A source tree of 8 MiB and a part are less than 64 MiB."""
_LENGTH_COUNTS = "_nOn_nOff"
_TABLES = {".tsv", ".csv", ".json"}


def build(resolved: ResolvedSpace) -> dict[str, str]:
    """Build the data sets that are not there, by `raysed data`; return the URL of each by its name."""
    sets = ",".join(sorted({n for each in resolved.trainings for n in each.trial.set_names()}))
    command = [
        sys.executable,
        "-m",
        "raysed.data",
        resolved.space.data_job,
        "--sets",
        sets,
        "--json",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (DONE, HOLES):
        raise typer.Exit(done.returncode)
    return {one["name"]: one["url"] for one in json.loads(done.stdout)["datasets"]}


def first_losses(trial: Trial, sets: dict[str, FeatureSet], device: str) -> torch.Tensor:
    """Return the losses (CHECKED_STEPS, 5) of a training's first steps in float32, without dropout and noise, whose draws
    differ between devices.
    """
    model = trial.model.model_copy(update={"dropout": 0.0})
    teacher = trial.teacher.model_copy(update={"snr_db": None})
    changes = {"model": model, "teacher": teacher, "precision": "float32"}
    plain = trial.model_copy(update=changes)
    nowhere = Folder("/nonexistent")
    trainer = Trainer(plain, sets, nowhere, seed=0, device=device, ranks=ALONE)
    trainer.resume()
    parts: list[torch.Tensor] = []
    while sum(map(len, parts)) < CHECKED_STEPS:
        trainer._train_epoch(math.inf)
        parts.append(trainer.losses_L5.cpu().clone())
        trainer.epoch, trainer.step_in_epoch = trainer.epoch + 1, 0
    return torch.cat(parts)[:CHECKED_STEPS]


def compared_losses(resolved: ResolvedSpace, urls: dict[str, str]) -> dict[str, Any]:
    """Return the losses of the first training's first steps on the CPU, taken once, and on the GPU where there is one."""
    out = Folder(str(Path(resolved.job.out).absolute()))
    first = resolved.trainings[0]
    sets = {name: open_dataset(urls[name], cache_dir()) for name in first.trial.set_names()}
    of = [first.id, *sorted(each.id for each in sets.values())]
    stored = read_json(out, CPU_LOSSES)
    if not isinstance(stored, dict) or stored.get("of") != of:
        stored = {"of": of, "losses_L5": first_losses(first.trial, sets, "cpu").tolist()}
        write_json(out, CPU_LOSSES, stored)
    expected_L5 = torch.tensor(stored["losses_L5"])
    found: dict[str, Any] = {"cpu": [round(loss, 6) for loss in expected_L5[:, 0].tolist()]}
    if torch.cuda.is_available():
        found_L5 = first_losses(first.trial, sets, "cuda")
        found["gpu"] = [round(loss, 6) for loss in found_L5[:, 0].tolist()]
        found["relative_error_10_steps"] = relative(found_L5[:10], expected_L5[:10])
        found["relative_error"] = relative(found_L5, expected_L5)
    return found


def pack(job: DataJob, urls: dict[str, str], parts: Path) -> list[Path]:
    """Write the built data sets and the CPU's losses as parts; of the recordings go names, sizes and tables, and whole
    those of a sound bank that have neither onset nor offset, since planning asks for their lengths.
    """
    here, out = Path.cwd(), Path(job.out).absolute()
    sets = [
        path for url in urls.values() for path in sorted(Path(url).rglob("*")) if path.is_file()
    ]
    files = {str(path.relative_to(here)): path for path in [*sets, out / CPU_LOSSES]}
    assert job.roots.recorded is not None, "the job of a benchmark on recordings"
    recorded, hollow = Path(job.roots.recorded).absolute(), {}
    below = os.path.relpath(out / RECORDINGS, here)
    for path in sorted(recorded.rglob("*")):
        if path.is_file():
            name = f"{below}/{path.relative_to(recorded)}"
            if path.suffix in _TABLES or path.parent.name.endswith(_LENGTH_COUNTS):
                files[name] = path
            else:
                hollow[name] = path.stat().st_size
    return write_parts(parts / PARTS, files, _PART_BYTES, hollow)


def unpack(parts: Path) -> int:
    """Put together what `pack` wrote, below the working directory; return the files that were not there."""
    return join_parts(parts / PARTS, Path.cwd())
