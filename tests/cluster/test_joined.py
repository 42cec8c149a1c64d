"""A driver that joins a cluster of three nodes itself: its token, and a node that dies in the middle of a data job."""

import signal
from pathlib import Path

import pytest
import yaml

from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.data.build.shard_journal import noted_shards
from raysed.data.features.shards import read_manifest
from raysed.storage.folder import Folder
from tests.cluster.local_cluster import LocalCluster
from tests.data.processes import signalled
from tests.data.recorded_tree import build_alone, contents
from tests.tune.runs import wait_for

pytestmark = [pytest.mark.ray, pytest.mark.slow]

MAKING = "ray::_make_clips"
WRONG = "0" * 64


@pytest.mark.parametrize(
    ("module", "config", "environment", "set_here"),
    [
        ("raysed.data", "job.yaml", {"RAY_AUTH_TOKEN": WRONG}, "RAY_AUTH_MODE, RAY_AUTH_TOKEN"),
        (
            "raysed.tune",
            "space.yaml",
            {"RAY_AUTH_MODE": "disabled", "RAY_AUTH_TOKEN": ""},
            "RAY_AUTH_MODE",
        ),
    ],
)
def test_a_wrong_token_or_none(
    cluster: LocalCluster, tree: Path, module, config, environment, set_here
):
    driver = cluster.join("-m", module, tree / config, **environment)
    said, _ = driver.communicate(timeout=600)
    assert driver.returncode == 2, said
    assert f"the Ray at 127.0.0.1:{cluster.gcs} refuses us: set RAY_AUTH_MODE=token and" in said
    assert f"(set here: {set_here})" in said and WRONG not in said


def write_job(root: Path, name: str) -> Path:
    """Shards enough for a node to die between the first and the last of them; mel actors on every node."""
    job = yaml.safe_load((root / "job.yaml").read_text())
    job |= {
        "out": str(root / name),
        "shard_clips": 4,
        "cluster": {"mel_actors_per_node": 1, "gpus_per_mel_actor": 0.0},
    }
    job["sets"] = {
        "synthetic": {"kind": "synthetic", "split": "train", "count": 60, "reverb": "rir"},
        "weak": {"kind": "recorded", "subset": "weak"},
    }
    path = root / f"{name}.yaml"
    path.write_text(yaml.safe_dump(job, sort_keys=False))
    return path


def shards_listed(out: Path) -> int:
    """Shards in the manifests and journals of all sets."""
    count = 0
    for path in out.glob("*"):
        folder = Folder(str(path))
        manifest = read_manifest(folder)
        listed = [] if manifest is None else manifest.shards
        count += len({shard.name for shard in [*listed, *noted_shards(folder)]})
    return count


def test_a_node_dies_under_a_data_job(cluster: LocalCluster, tree: Path):
    cluster.restore()
    lost, whole = tree / "lost", tree / "whole"
    build_alone(read_config(write_job(tree, "whole"), DataJob))
    job = cluster.join("-m", "raysed.data", write_job(tree, "lost"))
    held: list[int] = []
    at_work: list[int] = []

    def struck() -> bool:
        if shards_listed(lost) > 1:
            if not held:
                # The head could do it all while the others' workers are still starting.
                held.extend(cluster.working(0, MAKING))
                signalled(held, signal.SIGSTOP)
            at_work.extend(n for n in (1, 2) if cluster.working(n, MAKING))
        return bool(at_work)

    wait_for(lambda: struck() or job.poll() is not None)
    assert at_work, job.communicate()[0]
    cluster.kill(at_work[0])
    then = shards_listed(lost)
    signalled(held, signal.SIGCONT)
    said, _ = job.communicate(timeout=1200)
    assert job.returncode == 0, said
    assert 1 < then < shards_listed(lost)
    assert contents(lost) == contents(whole) != {}
