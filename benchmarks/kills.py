"""`python -m benchmarks.kills`: a seeded campaign of kill -9 against builds and runs, and whether the end is the same.

Each stage is one command. Processes of it are killed at random moments: a worker, a rank, a mel actor, Ray's raylet, the
command itself. It is started again until it ends with 0; then the files are compared, byte for byte, with those of the
same command undisturbed. An hour for 52 kills, on two cores with much other work. The fourth stage keeps everything in an object
store on loopback that refuses 30 % of the requests.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
import yaml
from pyarrow import fs as pafs

from benchmarks.common import document
from benchmarks.kills_table import PAGE, stored_table, table
from benchmarks.table import RESULTS, with_tables
from raysed.run.folders import RESULTS as RUN_RESULTS
from tests.data.processes import workers
from tests.object_store import ObjectStore, object_store
from tests.tune.tiny import space_content, write_tiny_tree

COMMAND = "the command"
DATA = (COMMAND, *["ray::_make_clips"] * 7, "ray::_Writer", "raylet")
ONE_RANK = (*[COMMAND] * 2, *["ray::ImplicitFunc"] * 7, "raylet")
TWO_RANKS = (COMMAND, *["ray::_Rank"] * 4, *["ray::ImplicitFunc"] * 3)
ERRORS = 0.3
_COMPARED = (".parquet", "manifest.json", ".csv", ".tsv", ".arrow", ".npz")
_GIVE_UP_S = 600.0
_PAUSE_S = 1.0


@dataclass
class Stage:
    """A command, what of it is killed, and what came of it."""

    name: str
    module: str
    config: Path
    victims: tuple[str, ...]
    place: str
    """Folder or URL of what it writes."""
    killed: Counter[str] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)
    files: int = 0
    compared_bytes: int = 0
    same: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what came of it."""
        return {
            "name": self.name,
            "killed": dict(self.killed),
            "ends": dict(self.ends),
            "files": self.files,
            "compared_bytes": self.compared_bytes,
            "same": self.same,
        }


def contents(place: str) -> dict[str, bytes]:
    """Return every file that must not depend on kills, by its name."""
    file_system, root = pafs.FileSystem.from_uri(place)
    selector = pafs.FileSelector(root, recursive=True, allow_not_found=True)
    found = {}
    for about in file_system.get_file_info(selector):
        name = about.path.removeprefix(root)
        if about.is_file and name.endswith(_COMPARED):
            with file_system.open_input_stream(about.path) as file:
                found[name] = _without_times(name, file.read())
    return found


def said(stage: Stage) -> str:
    """Return the last lines of what the command said."""
    return stage.config.with_suffix(".log").read_text(errors="replace")[-3000:]


def _without_times(name: str, content: bytes) -> bytes:
    if not name.endswith(RUN_RESULTS):
        return content
    table = pq.read_table(pa.BufferReader(content))
    measured = [name for name in table.column_names if name == "train_seconds" or "kwh" in name]
    table = table.drop_columns(measured)
    return json.dumps(table.to_pylist()).encode()


def start(stage: Stage, environment: dict[str, str]) -> subprocess.Popen:
    """Run the command in a process of its own; what it says is added to a file beside its configuration."""
    with stage.config.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", stage.module, str(stage.config)],
            env=os.environ | environment, stdout=log, stderr=log,
        )  # fmt: skip


def undisturbed(stage: Stage, environment: dict[str, str]) -> dict[str, bytes]:
    """Return what the command writes if nothing happens."""
    code = start(stage, environment).wait()
    assert code == 0, f"{stage.name}, undisturbed: {code}\n{said(stage)}"
    return contents(stage.place)


def strike(driver: subprocess.Popen, victim: str, draw: random.Random) -> bool:
    """Kill -9 one process of the victim's kind; return whether there was one."""
    found = [driver.pid] if victim == COMMAND else workers(victim)
    if victim == "raylet":
        found = [p for p in workers("") if _name(p) == "raylet"]
    if not found:
        return False
    with suppress(ProcessLookupError):
        os.kill(draw.choice(found), 9)
        return True
    return False


def _name(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text().strip()
    return ""


def disturb(
    stage: Stage,
    kills: int,
    draw: random.Random,
    environment: dict[str, str],
    store: ObjectStore | None,
) -> None:
    """Kill until there were enough, starting the command again whenever it has ended; then let it end."""
    driver = start(stage, environment)
    while stage.killed.total() < kills and stage.ends[0] == 0:
        victim = draw.choice(stage.victims)
        wait_for_work(driver, stage, store)
        if driver.poll() is None:
            time.sleep(draw.uniform(0, _PAUSE_S))
            if strike(driver, victim, draw):
                stage.killed[victim] += 1
        if victim in (COMMAND, "raylet") or driver.poll() is not None:
            stage.ends[driver.wait(_GIVE_UP_S)] += 1
            if stage.ends[0] == 0:
                driver = start(stage, environment)
    while stage.ends[0] == 0:
        code = driver.wait()
        stage.ends[code] += 1
        if code:
            driver = start(stage, environment)


def work_done(stage: Stage, store: ObjectStore | None) -> int:
    """Return a number that grows with every shard and epoch."""
    if store:
        return sum(method == "PUT" and name_grows(path) for method, path in list(store.requests))
    return sum(
        path.stat().st_size for path in Path(stage.place).rglob("*.*") if name_grows(path.name)
    )


def name_grows(path: str) -> bool:
    """Return whether a file is one that work adds or adds to."""
    return path.endswith((".parquet", "progress.jsonl"))


def wait_for_work(driver: subprocess.Popen, stage: Stage, store: ObjectStore | None) -> None:
    """Wait until the command has done something, or has ended: without it kills would only repeat its start."""
    before, deadline = work_done(stage, store), time.monotonic() + _GIVE_UP_S
    while driver.poll() is None and work_done(stage, store) == before:
        assert time.monotonic() < deadline, f"{stage.name} does not go on\n{said(stage)}"
        time.sleep(0.05)


def compare(stage: Stage, expected: dict[str, bytes]) -> None:
    """Note whether the files are the same bytes as undisturbed."""
    found = contents(stage.place)
    stage.files = len(expected)
    stage.compared_bytes = sum(len(content) for content in expected.values())
    stage.same = found == expected and bool(expected)


def write_configs(root: Path, place: str, name: str, ranks: int | None) -> Path:
    """Write a data job (`ranks` None) or a space of NAME, whose results go to `place`/NAME."""
    job = yaml.safe_load((root / "job.yaml").read_text())
    # Runs of this machine share their data sets, which the first one builds.
    shared = ranks is not None and not place.startswith("s3")
    job |= {"out": f"{place}/data" if shared else f"{place}/{name}/data", "shard_clips": 2}
    if ranks is None:
        job["sets"] = {
            "kills": {"kind": "synthetic", "split": "train", "count": 360, "reverb": "rir"}
        }
    path = root / f"{name}-job.yaml"
    path.write_text(yaml.safe_dump(job))
    if ranks is None:
        return path
    content: dict[str, Any] = space_content(root, path) | {"run": f"{place}/{name}/run"}
    content["base"]["schedule"] = {"epochs": 40, "steps_per_epoch": 4, "ramp_epochs": 1}
    content["resources"] = {"workers": ranks}
    content["seeds"] = [0] if ranks == 2 or place.startswith("s3") else [0, 1]
    path = root / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def run_stage(
    root: Path, name: str, victims: tuple[str, ...], ranks: int | None, *, kills: int, seed: int,
    store: ObjectStore | None = None,
) -> Stage:  # fmt: skip
    """Run a stage undisturbed and disturbed; return what came of it."""
    environment = {
        "RAYSED_CACHE": str(root / "cache"),
        "OMP_NUM_THREADS": "1",
        "RAY_worker_niceness": "0",
    }
    environment |= store.environment if store else {}
    os.environ.update(environment)
    module = "raysed.data" if ranks is None else "raysed.tune"
    place = "s3://lab" if store else str(root)
    slug = re.sub(r"\W+", "-", name).strip("-")
    calm, wild = (
        Stage(
            name,
            module,
            write_configs(root, place, f"{slug}-{kind}", ranks),
            victims,
            f"{place}/{slug}-{kind}",
        )
        for kind in ("calm", "wild")
    )
    expected = undisturbed(calm, environment)
    draw, errors = random.Random(f"{seed} {name}"), random.Random(f"{seed} errors")
    if store:
        store.answer = lambda method, path: 503 if errors.random() < ERRORS else None
    disturb(wild, kills, draw, environment, store)
    if store:
        store.answer = lambda method, path: None
    compare(wild, _renamed(expected, slug))
    return wild


def _renamed(contents: dict[str, bytes], slug: str) -> dict[str, bytes]:
    """Return the undisturbed files as the disturbed ones name their own place."""
    return {
        n: c.replace(f"{slug}-calm".encode(), f"{slug}-wild".encode()) for n, c in contents.items()
    }


def main(
    kills: Annotated[
        str, typer.Option(help="Kills of the four stages; one of 0 is left out.")
    ] = "24,14,8,6",
    seed: Annotated[int, typer.Option()] = 0,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Run the campaign and print its table."""
    counts = [int(count) for count in kills.split(",")]
    with tempfile.TemporaryDirectory(prefix="raysed-kills-") as folder, object_store() as bucket:
        root = Path(folder)
        write_tiny_tree(root)
        wanted = (
            ("data", DATA, None, None),
            ("trials of 1 rank", ONE_RANK, 1, None),
            ("trials of 2 ranks", TWO_RANKS, 2, None),
            ("S3, 30 % errors", ONE_RANK, 1, bucket),
        )
        stages = []
        for (name, victims, ranks, place), count in zip(wanted, counts, strict=True):
            if not count:
                continue
            done = run_stage(root, name, victims, ranks, kills=count, seed=seed, store=place)
            stages.append(done.as_json())
            print(table(stages[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    content = document("kills", [], seed=seed, stages=stages) | {"clock": "none"}
    print(table(stages))
    print(json.dumps(content))
    if store:
        (RESULTS / "kills.json").write_text(json.dumps(content, indent=1) + "\n")
        PAGE.write_text(with_tables(PAGE.read_text(), stored_table()))


if __name__ == "__main__":
    typer.run(main)
