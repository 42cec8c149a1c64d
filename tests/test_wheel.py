"""The wheel, built and unpacked away from the checkout, scores, reports and predicts without any extra."""

import shutil
import subprocess
import sys

import pytest

from tests.base_installation import COMMAND, run_base
from tests.old_run.old import DONE, copy_old_run
from tests.paths import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that holds the installed wheel, and nothing else."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "raysed", source / "raysed")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", place, source]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = place.glob("*.whl")
    unpack = [*pip, "install", "--no-deps", "--no-index", "--target", place / "there", wheel]
    subprocess.run(unpack, check=True, timeout=300)
    # The kernels that this checkout has compiled serve the same sources there: compiling takes 20 CPU seconds.
    for path in (ROOT / "raysed").rglob("*"):
        copy = place / "there" / path.relative_to(ROOT)
        if path.suffix == ".py":
            shutil.copystat(path, copy)
        elif path.suffix in (".nbi", ".nbc"):
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(path, copy)
    return place / "there"


def test_it_is_the_wheel_that_runs(installed, tmp_path):
    done = run_base("import raysed; print(raysed.__file__)", cwd=tmp_path, path=installed)
    assert done.stdout.strip() == str(installed / "raysed" / "__init__.py")


def test_it_predicts_as_the_checkout_does(installed, tmp_path):
    root = copy_old_run(tmp_path / "old")
    checkpoint = root / "runs/finished/trials" / DONE / "checkpoints/best-dry.pt"
    sounds = root / "sounds/dataset/audio/validation/validation"
    done = run_base(COMMAND, "predict", checkpoint, sounds, cwd=tmp_path, path=installed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("filename\tonset\toffset\tevent_label\n")


def test_it_reports_with_the_page(installed, tmp_path):
    root = copy_old_run(tmp_path / "old")
    done = run_base(COMMAND, "report", root / "runs/finished", cwd=tmp_path, path=installed)
    assert done.returncode == 0, done.stderr
    assert "event F1" in done.stdout
    assert (root / "runs/finished/report.html").stat().st_size > 50_000
