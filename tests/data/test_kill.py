"""Kill -9 of a waveform worker, of the mel actor, and of the driver at random moments: the same data
set, no clip lost, none twice, nothing built again.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.data_job import DataJob, Features
from raysed.data.build.dataset_plan import plan
from raysed.data.build.job import build
from raysed.data.build.shard_journal import JOURNAL, noted_shards
from raysed.data.features.shards import read_manifest
from raysed.exit_codes import StoppedError
from raysed.storage.folder import Folder
from tests.data.processes import kill_in_mid_work, workers
from tests.data.recorded_tree import build_alone, contents, weak_job
from tests.paths import ROOT
from tests.session_ray import joining

pytestmark = [pytest.mark.ray, pytest.mark.slow]

CLIPS, SHARD_CLIPS = 60, 2
SHARDS = CLIPS // SHARD_CLIPS


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips that take a few milliseconds each: 10 s of 44.1 kHz stereo."""
    root = tmp_path_factory.mktemp("kill") / "dataset"
    audio = root / "audio/train/weak"
    audio.mkdir(parents=True)
    originals = [root / f"{n}.wav" for n in range(5)]
    for n, path in enumerate(originals):
        noise_TC = np.random.default_rng(n).uniform(-0.5, 0.5, (441_000, 2))
        soundfile.write(path, noise_TC, 44100)
    for n in range(CLIPS):
        (audio / f"{n:02d}.wav").hardlink_to(originals[n % 5])
    rows = [f"{n:02d}.wav\tDog" for n in range(CLIPS)]
    (root / "metadata/train").mkdir(parents=True)
    (root / "metadata/train/weak.tsv").write_text("\n".join(["filename\tevent_labels", *rows, ""]))
    return root


def job_of(tree: Path, out: Path) -> DataJob:
    features = Features(n_mels=16, hop=510)
    return weak_job(tree, out, features=features, shard_clips=SHARD_CLIPS)


@pytest.fixture(scope="module")
def undisturbed(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, ray_session: None
) -> dict[str, str]:
    planned = build_alone(job_of(tree, tmp_path_factory.mktemp("undisturbed")))
    assert (planned.clips, len(planned.shards)) == (CLIPS, SHARDS)
    return contents(planned.url)


def listed(folder: Folder) -> list[str]:
    manifest = read_manifest(folder)
    entries = [] if manifest is None else [*manifest.shards, *noted_shards(folder)]
    return list(dict.fromkeys(entry.name for entry in entries))


class Saboteur(threading.Thread):
    """Does something once some shards are there; keeps how many there were just after."""

    def __init__(self, folder: Folder, deed: Callable[[], object], shards: int = 3) -> None:
        super().__init__(daemon=True)
        self.folder, self.deed, self.shards, self.shards_then = folder, deed, shards, -1
        self.start()

    def run(self) -> None:
        while len(listed(self.folder)) < self.shards:
            time.sleep(0.01)
        self.deed()
        self.shards_then = len(listed(self.folder))


def test_killed_workers_change_nothing(
    undisturbed: dict[str, str], tree: Path, tmp_path: Path
) -> None:
    job = job_of(tree, tmp_path)
    folder = Folder(plan(job)[0].url)
    saboteurs = [
        Saboteur(folder, lambda: kill_in_mid_work("ray::_make_clips")),
        Saboteur(folder, lambda: kill_in_mid_work("ray::_Writer.write"), SHARDS // 2),
    ]
    result = build(job, workers=2)["weak"]
    for saboteur in saboteurs:
        saboteur.join(60)
        assert saboteur.shards <= saboteur.shards_then < SHARDS
    assert result.shards_built == SHARDS
    assert contents(result.url) == undisturbed


def test_a_full_disk_stops_the_build_and_loses_nothing(
    undisturbed: dict[str, str], tree: Path, tmp_path: Path
) -> None:
    import resource

    job = job_of(tree, tmp_path)
    folder = Folder(plan(job)[0].url)

    def fill() -> None:
        # To the writer it is the same: its file cannot grow. A title that is just being set cannot be read.
        while not (found := workers("ray::_Writer")):
            pass
        for process in found:
            resource.prlimit(process, resource.RLIMIT_FSIZE, (1000, 1000))

    saboteur = Saboteur(folder, fill)
    with pytest.raises(StoppedError, match=r"shard-\d+\.parquet: .*File too large"):
        build(job, workers=2)
    saboteur.join(60)
    kept = listed(folder)
    assert 3 <= len(kept) < SHARDS
    # The writer may have been ended in the middle of the next one.
    files = {path.name for path in Path(folder.url).iterdir() if path.suffix != ".part"}
    assert files == {"manifest.json", JOURNAL, *kept}
    assert build(job, workers=2)["weak"].shards_built == SHARDS - len(kept)
    assert contents(folder.url) == undisturbed


def test_kill_9_of_the_driver_at_random_moments(
    undisturbed: dict[str, str], tree: Path, tmp_path: Path
) -> None:
    job = job_of(tree, tmp_path / "out")
    path = tmp_path / "job.yaml"
    path.write_text(json.dumps(job.model_dump(mode="json")))
    folder = Folder(plan(job)[0].url)
    moments = random.Random(0)
    times: dict[str, int] = {}
    for count in (1, 2, 4):
        before = len(listed(folder))
        driver = subprocess.Popen(
            [sys.executable, "-m", "raysed.data", str(path), "--workers", str(count)],
            cwd=ROOT,
            # The first one's own Ray dies with it.
            env={**os.environ, **(joining() if count > 1 else {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted, deadline = before + moments.randint(1, 4), time.monotonic() + 600
        while len(listed(folder)) < wanted:
            assert driver.poll() is None and time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.03))
        driver.kill()
        driver.wait()
        kept = listed(folder)
        assert wanted <= len(kept) < SHARDS, "the kill came too late"
        found = {name: (Path(folder.url) / name).stat().st_mtime_ns for name in kept}
        assert times.items() <= found.items(), "a finished shard was built again"
        times = found
    assert build(job, workers=4)["weak"].shards_built == SHARDS - len(times)
    now = {name: (Path(folder.url) / name).stat().st_mtime_ns for name in times}
    assert now == times
    assert contents(folder.url) == undisturbed
