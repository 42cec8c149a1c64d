"""The checks themselves must be able to fail."""

import subprocess
import sys
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


def test_no_index_or_machine_path_is_named():
    # Put together from parts, so that this file does not name them either.
    hosts = ["py" + "pi.org", "python" + "hosted", "/" + "work/", "/" + "root/"]
    files = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).stdout.split()
    for name in files:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".cff", ""} and path.is_file():
            text = path.read_text(errors="ignore")
            assert not [host for host in hosts if host in text], name
