"""What the cluster settings do, and what is checked on every node before work."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError, WorkerCrashedError

from raysed.config.data_job import Cluster
from raysed.data.build import job as job_module
from raysed.data.build.dataset_plan import plan
from raysed.data.build.job import build
from raysed.exit_codes import StoppedError, ending
from raysed.ray_cluster import check_visible, nodes, ray_errors
from tests.data.recorded_tree import weak_job, write_tree

CPU_NODE = {"NodeID": "0" * 56, "Alive": True, "Resources": {"CPU": 16.0}}
GPU_NODE = {"NodeID": "1" * 56, "Alive": True, "Resources": {"CPU": 16.0, "GPU": 4.0}}
DEAD_NODE = {"NodeID": "2" * 56, "Alive": False, "Resources": {"CPU": 16.0, "GPU": 8.0}}


def places(monkeypatch: pytest.MonkeyPatch, nodes: list[dict], **settings: object) -> list[str]:
    """Where mel actors go: the first digit of a node, or Ray's own word; 16 waveform tasks."""
    monkeypatch.setattr(job_module.ray, "nodes", lambda: nodes)
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = sum(resources.get("GPU", 0.0) for resources in alive)
    monkeypatch.setattr(job_module.ray, "cluster_resources", lambda: {"CPU": 32.0, "GPU": gpus})
    cluster = Cluster(**settings)
    share = job_module._gpu_share(True, cluster)
    found = job_module._writer_places(4, share, cluster)
    return [place if isinstance(place, str) else place.node_id[0] for place in found]


def test_where_mel_actors_go(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [CPU_NODE, GPU_NODE, DEAD_NODE]
    assert places(monkeypatch, [CPU_NODE]) == ["SPREAD"] * 4
    assert places(monkeypatch, both) == ["SPREAD"] * 4
    assert places(monkeypatch, both, gpus_per_mel_actor=0.0) == ["SPREAD"] * 4
    assert places(monkeypatch, both, mel_actors_per_node=2) == ["1", "1"]
    everywhere = places(monkeypatch, both, mel_actors_per_node=2, gpus_per_mel_actor=0.0)
    assert everywhere == ["0", "0", "1", "1"]
    two = {**GPU_NODE, "Resources": {"CPU": 8.0, "GPU": 1.0}}
    assert places(monkeypatch, [two]) == ["SPREAD"]
    assert places(monkeypatch, [two], gpus_per_mel_actor=0.5) == ["SPREAD"] * 2


def test_a_share_that_nobody_can_give_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"gpus_per_mel_actor is 0.5, but no node"):
        places(monkeypatch, [CPU_NODE], gpus_per_mel_actor=0.5)
    with pytest.raises(ValidationError, match="one GPU or a part of it"):
        Cluster(gpus_per_mel_actor=2.0)


def test_settings_of_the_cluster_rename_no_data_set(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "dataset")
    ids = {
        plan(weak_job(tree, tmp_path, cluster=cluster))[0].id
        for cluster in (Cluster(), Cluster(tasks_in_flight=3, mel_actors_per_node=2))
    }
    assert len(ids) == 1


@pytest.mark.ray
def test_what_a_node_does_not_see_is_told(tmp_path: Path, ray_session: None) -> None:
    check_visible({"roots.recorded": str(tmp_path)})
    paths = {"roots.recorded": str(tmp_path), "roots.rir": str(tmp_path / "rir")}
    with pytest.raises(ValueError, match=r"mount it there\n  node [\d.]+ does not see") as caught:
        check_visible(paths)
    assert str(caught.value).endswith(f"does not see {tmp_path}/rir (roots.rir)")
    assert "roots.recorded" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            RayTaskError("f", "trace", PermissionError(13, "Permission denied", "s/a")),
            2,
            "s: [Errno 13]",
        ),
        (RayTaskError("f", "trace", KeyError("ours")), 3, "s: KeyError: 'ours'"),
        (RayTaskError("f", "trace", OSError(28, "No space left on device")), 3, "s: [Errno 28]"),
        (RayTaskError("f", "trace", MemoryError()), 3, "s: MemoryError"),
        (OutOfMemoryError("killed"), 3, "Ray stopped s: killed"),
        (WorkerCrashedError(), 3, "Ray stopped s: "),
    ],
)
def test_an_error_within_ray_ends_as_its_cause_would(error: RayError, code: int, said: str) -> None:
    with pytest.raises(StoppedError) as stopped, ray_errors("s"):
        raise error
    assert str(stopped.value).startswith(said)
    end = ending(stopped.value)
    assert end.code == code
    if "memory" in said.lower() or "killed" in said:
        assert end.head == "stopped: memory ran out"


class AskedError(Exception):
    """All that was to be seen has been."""


@pytest.mark.ray
def test_a_build_asks_more_nodes_than_one_for_what_they_will_read(
    tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(paths: dict[str, str]) -> None:
        check_visible(paths)
        raise AskedError(sorted(paths))

    monkeypatch.setattr(job_module, "nodes", lambda: 2 * nodes())
    monkeypatch.setattr(job_module, "check_visible", check)
    tree = write_tree(tmp_path / "dataset")
    with pytest.raises(AskedError, match=r"\['out, set weak', 'roots.recorded'\]"):
        build(weak_job(tree, tmp_path / "out"))
