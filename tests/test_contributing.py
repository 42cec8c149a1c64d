"""CONTRIBUTING.md and the hosted checks name what is there."""

import re
import tomllib

import pytest
import yaml

from tests.paths import ROOT

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
LANE = "not ray and not slow and not gpu"


def hosted(name="check"):
    """A job of the hosted workflow; `on` is true to YAML 1.1."""
    content = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert content[True].keys() == {"push", "pull_request"}
    assert content["jobs"].keys() == {"check", "quick"}
    return content["jobs"][name]


def made(text):
    """The targets of every `make ...` in a text."""
    calls = re.findall(r"(?:^|`|    )make((?: [a-z-]+)+)", text, re.MULTILINE)
    return {target for call in calls for target in call.split()}


def test_the_hosted_checks_are_those_of_a_checkout_in_its_order():
    steps = hosted()["steps"]
    assert steps[0]["uses"].startswith("actions/checkout@")
    assert steps[1]["with"]["python-version"] == "3.11"
    runs = [step["run"] for step in steps if "run" in step]
    assert runs == ["make setup", "make lint", "make quick", "make browser", "make test"]
    assert made("\n".join(runs)) <= TARGETS
    own = re.findall(r"^step .*make ([a-z-]+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert {"setup", "lint", "browser", "test"} <= set(own)


def test_every_python_that_is_declared_is_checked():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    declared = re.findall(r"Python :: (3\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE)
    first, *others = declared
    assert project["requires-python"] == f">={first},<3.{int(others[-1][2:]) + 1}"
    assert hosted()["steps"][1]["with"]["python-version"] == first
    assert hosted("quick")["strategy"]["matrix"]["python"] == others
    assert f"VERSIONS := {' '.join(declared)}" in (ROOT / "Makefile").read_text()


def test_the_guide_names_targets_and_files_that_are_there():
    named = made(GUIDE)
    assert {"setup", "quick", "lint", "test", "docs", "regress"} <= named <= TARGETS
    paths = re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|yml|md))`", GUIDE)
    paths += re.findall(r"\]\(([^)#]+)\)", GUIDE)
    assert len(paths) > 8
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == ["raysed/a/b.py", "tests/a/test_b.py"]


def test_the_quick_lane_is_chosen_by_marks_that_pytest_knows(pytestconfig):
    makefile = (ROOT / "Makefile").read_text()
    assert f'pytest -q $(PROCESSES) --hypothesis-profile=quick -m "{LANE}"' in makefile
    known = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    assert set(re.findall(r"not (\w+)", LANE)) <= known


def folders():
    """The packages of raysed that have modules."""
    found = {path.parent.relative_to(ROOT / "raysed") for path in (ROOT / "raysed").rglob("*.py")}
    return sorted({folder.parts[0] for folder in found if folder.parts})


@pytest.mark.parametrize("package", folders())
def test_the_quick_lane_covers_every_package(package):
    """Some test file beside its modules has a test without a mark that the lane leaves out."""
    files = [*(ROOT / "tests" / package).rglob("test_*.py"), ROOT / f"tests/test_{package}.py"]
    assert any(has_quick_test(path.read_text()) for path in files if path.exists())


def has_quick_test(text):
    """Whether a test stands without a mark of its own, in a file that is not marked as a whole."""
    whole = re.search(r"^pytestmark = (.*)", text, re.MULTILINE)
    if whole and re.search(r"mark\.(ray|slow|gpu)", whole[1]):
        return False
    tests = re.findall(r"((?:^@.*\n(?:^[ )\]}].*\n)*)*)^def test_", text, re.MULTILINE)
    return any(not re.search(r"mark\.(ray|slow|gpu)", decorators) for decorators in tests)
