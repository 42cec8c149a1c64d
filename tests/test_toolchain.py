"""The checks themselves must be able to fail."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests.paths import ROOT

BIN = Path(sys.executable).parent


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_type_checker_sees_a_planted_error(tmp_path):
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    package = tmp_path / "raysed"
    package.mkdir()
    good = 'def frames(seconds: float) -> int:\n    """Doc."""\n    return int(seconds)\n'
    (package / "planted.py").write_text(good)
    assert run(str(BIN / "pyrefly"), "check", cwd=tmp_path).returncode == 0
    (package / "planted.py").write_text(good.replace("return int(seconds)", 'return "no"'))
    found = run(str(BIN / "pyrefly"), "check", cwd=tmp_path)
    assert found.returncode != 0
    assert "bad-return" in found.stdout + found.stderr


def test_the_linter_sees_a_planted_pickle(tmp_path):
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "planted.py").write_text('"""Doc."""\n\nimport pickle\n\npickle.loads(b"")\n')
    found = run(str(BIN / "ruff"), "check", "planted.py", cwd=tmp_path)
    assert found.returncode == 1
    assert "S301" in found.stdout


def test_no_folder_of_tests_is_left_out():
    """By its own default pytest leaves out folders called build, dist or venv."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    folders = {part for path in (ROOT / "tests").rglob("test_*.py") for part in path.parts}
    left_out = [f for f in folders for p in settings["norecursedirs"] if fnmatch(f, p)]
    assert "build" in folders and left_out == []


def test_tests_of_ray_are_found_by_their_mark():
    """`make test` collects Ray's tests only from the files that name the mark."""
    recipe = (ROOT / "Makefile").read_text()
    (pattern,) = re.findall(r"grep -rlE '(.+)' --include='test_\*\.py' tests", recipe)
    for path in (ROOT / "tests").rglob("*.py"):
        if path.name == "conftest.py" or not path.name.startswith("test_"):
            # A mark that is given elsewhere would not be found.
            assert not re.search(r"(mark\.|add_marker\(.)(ray|gpu)\b", path.read_text()), path
    assert re.search(pattern, "@pytest.mark.ray") and re.search(pattern, "[pytest.mark.gpu]")


def test_no_index_or_machine_path_is_named():
    # Put together from parts, so that this file does not name them either.
    hosts = ["py" + "pi.org", "python" + "hosted", "/" + "work/", "/" + "root/"]
    files = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).stdout.split()
    for name in files:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".cff", ""} and path.is_file():
            text = path.read_text(errors="ignore")
            assert not [host for host in hosts if host in text], name
