"""One cluster of three nodes for all tests of this folder: a node takes 5 CPU seconds to start, the head twice that."""

import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.local_cluster import BIN, LocalCluster
from tests.tune.tiny import write_tiny_tree

# The head, CPUs alone, and GPUs that nobody has: a space without GPUs trains on any of them. A trial of two ranks
# takes two of the three nodes; the third one replaces the one that dies.
NODES = [["--num-cpus=1"], ["--num-cpus=1"], ["--num-cpus=1", "--num-gpus=2"]]


@pytest.fixture(scope="package")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cluster")
    write_tiny_tree(root)
    job = yaml.safe_load((root / "job.yaml").read_text())
    # DALI would want the GPUs that are not there.
    job["cluster"] = {"gpus_per_mel_actor": 0.0}
    (root / "job.yaml").write_text(yaml.safe_dump(job))
    return root


def packages_alone(folder: Path) -> Path:
    """An environment with every package of this one but raysed; returns where its programs are."""
    subprocess.run([BIN / "python", "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "raysed" not in path.name:
            (site / path.name).symlink_to(path)
    ray = folder / "bin" / "ray"
    ray.write_text(
        f"#!{folder}/bin/python\nimport sys\nfrom ray.scripts.scripts import main\nsys.exit(main())\n"
    )
    ray.chmod(0o755)
    return folder / "bin"


@pytest.fixture(scope="package")
def cluster(tree: Path) -> Iterator[LocalCluster]:
    """It has the packages and not raysed: what is sent is all that runs. Who kills a node restores all before."""
    bin = packages_alone(tree / "env")
    with LocalCluster(NODES, bin=bin, RAYSED_CACHE=str(tree / "cache")) as running:
        yield running
