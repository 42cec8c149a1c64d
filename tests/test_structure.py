"""docs/architecture.md shows the packages as they are, and benchmarks/structure.py counts right."""

import re
from pathlib import Path

import pytest

from benchmarks.structure import Code, is_run_file, measured, table
from tests.paths import ROOT
from tests.test_architecture import LAYERS

PAGE = (ROOT / "docs" / "architecture.md").read_text()
LAYOUT = PAGE.split("## Layout\n```\n")[1].split("```")[0]


def shown():
    """Folder in raysed/ -> the modules that the layout names there."""
    found, folder = {}, None
    for line in LAYOUT.splitlines():
        if head := re.match(r"(?:raysed|  ([\w/]+))/ ", line):
            folder = head[1] or ""
        elif not line.startswith("   "):
            folder = None
        if folder is not None:
            found.setdefault(folder, []).extend(re.findall(r"\b(\w+\.py)\b", line))
    return found


def there():
    """Folder in raysed/ -> its modules."""
    found = {}
    for path in (ROOT / "raysed").rglob("*.py"):
        if not path.stem.startswith("__"):
            folder = path.parent.relative_to(ROOT / "raysed").as_posix()
            found.setdefault("" if folder == "." else folder, []).append(path.name)
    return found


@pytest.mark.parametrize("folder", sorted(shown().keys() | there().keys()))
def test_the_layout_names_every_module_in_its_folder_once(folder):
    assert sorted(shown().get(folder, [])) == sorted(there().get(folder, []))


def test_the_layers_are_those_that_are_tested():
    block = re.search(r"Imports go down this list.*?\n\n((?:    .*\n)+)", PAGE)
    assert block is not None
    lines = [{name.strip() for name in line.split(",")} for line in block[1].splitlines()]
    assert lines == list(reversed(LAYERS))


RULES = 'LAYERS = (\n    {"low"},\n    {"high", "side"},\n)\n'
LONG = "def long():\n" + "    a = 1\n" * 40
BRANCHES = "def deep(x):\n" + "".join(f"    if x == {n}:\n        return {n}\n" for n in range(10))
FILES = {
    "tests/test_architecture.py": RULES,
    "raysed/__init__.py": "",
    "raysed/low.py": '"""Writes plan.json."""\nfrom raysed.high import top\nimport raysed.low\n',
    "raysed/high/top.py": f"import raysed.low\nfrom raysed.side import Name\n{LONG}",
    "raysed/high/files.py": 'from raysed.high import top\nPLAN = "plan.json"\ndef other(): pass\n',
    "raysed/side.py": f"class Name: pass\ndef other(): pass\ndef _own(): pass\n{BRANCHES}",
    "raysed/high/more.py": 'def _own(): return f"{1}/scores/x"\nclass A:\n    def other(self): pass\n',
}


@pytest.fixture
def made_up(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Code(tmp_path)


def test_what_is_counted(made_up):
    assert measured(made_up) == {
        "imports that run upward": ["high/top.py: side", "low.py: high"],
        "modules that name a run's file": ["high/files.py", "high/more.py"],
        "functions over 40 lines": ["high/top.py: long (41)"],
        "functions with complexity over 10": ["side.py: `deep` is too complex (11 > 10)"],
        "public names defined twice": ["other: high/files.py, side.py"],
    }
    assert made_up.modules_per_folder() == {"": 2, "high": 3}


def test_the_table_has_a_column_for_each_checkout(made_up):
    lines = table([("then", made_up), ("now", made_up)])
    assert lines[0] == "|  | then | now |"
    assert "| modules | 5 | 5 |" in lines and "| modules in raysed/high | 3 | 3 |" in lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plan.json", True),
        ("/log.txt", True),
        ("checkpoints/last.pt", True),
        ("trials/x/statistics/", True),
        ("myplan.json", False),
        ("plan.json of a run", False),
        ("RUN/checkpoints/best-<x-valid>.pt", False),
        ("scores", False),
    ],
)
def test_a_run_file_is_a_path_not_a_sentence(text, expected):
    assert is_run_file(text) is expected


def test_a_folder_without_code_is_refused(tmp_path):
    with pytest.raises(Exception, match="holds no raysed"):
        Code(Path(tmp_path)).modules_per_folder()
