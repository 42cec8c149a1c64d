"""What is asked of the nodes before trials start."""

from raysed.data.folder import Folder
from raysed.tune import resources
from raysed.tune.resources import check_nodes


def asked(monkeypatch, nodes):
    found = []
    monkeypatch.setattr(resources, "cluster_nodes", lambda: [{"CPU": 1.0}] * nodes)
    monkeypatch.setattr(resources, "check_visible", found.append)
    return found


def test_every_node_must_see_the_run_and_the_data(monkeypatch, tmp_path):
    found = asked(monkeypatch, 2)
    check_nodes(Folder(str(tmp_path)), [f"{tmp_path}/weak-1", "s3://bucket/dry-2"])
    assert found == [
        {
            "the run": f"{tmp_path}/status.json",
            f"data set {tmp_path}/weak-1": f"{tmp_path}/weak-1/manifest.json",
        }
    ]


def test_one_node_and_object_stores_need_no_question(monkeypatch, tmp_path):
    found = asked(monkeypatch, 1)
    check_nodes(Folder(str(tmp_path)), [])
    assert found == []
    found = asked(monkeypatch, 3)
    check_nodes(Folder("s3://bucket/run"), ["s3://bucket/dry-2"])
    assert found == []
