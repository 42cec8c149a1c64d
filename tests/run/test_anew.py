"""A folder that begins anew never empties anything but a run of its own."""

import pytest

from raysed.run.anew import begin_anew
from raysed.storage.folder import Folder


def test_it_lies_beside_the_run_and_is_emptied(tmp_path):
    run = Folder(str(tmp_path / "run"))
    folder = begin_anew(run, "fast-dev-run")
    assert folder.url == f"{run.url}-fast-dev-run"
    folder.write("space.yaml", b"x")
    folder.write("trials/a/log.txt", b"x")
    assert begin_anew(run, "fast-dev-run") == folder and folder.read("space.yaml") is None


def test_a_folder_that_holds_something_else_stays(tmp_path):
    (tmp_path / "run-fast-dev-run").mkdir()
    (tmp_path / "run-fast-dev-run" / "thesis.txt").write_text("x")
    with pytest.raises(ValueError, match="holds no run, and would be emptied"):
        begin_anew(Folder(str(tmp_path / "run")), "fast-dev-run")
    assert (tmp_path / "run-fast-dev-run" / "thesis.txt").exists()


def test_a_remote_folder_is_refused():
    with pytest.raises(ValueError, match="needs a local folder"):
        begin_anew(Folder("s3://bucket/run"), "fast-dev-run")
