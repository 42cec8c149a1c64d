"""The import rules of docs/architecture.md, read from the syntax trees."""

import ast

import pytest

from tests.paths import ROOT

FILES = sorted((ROOT / "raysed").rglob("*.py"))

# Layer of each package: a module imports from lower layers and its own only.
LAYERS = {
    "config": 0,
    "console": 0,
    "data": 1,
    "model": 1,
    "evaluation": 1,
    "training": 2,
    "report": 3,
    "predict": 3,
    "page": 4,
    "tune": 4,
    "demo": 5,
    "commands": 6,
    "cli": 7,
}

EDGE = {
    # predict/parallel.py spreads folders of recordings over a cluster, as job.py does shards.
    "ray": {"data/cluster.py", "data/job.py", "predict/parallel.py"}
    | {f"tune/{name}.py" for name in ("run", "trainable", "progress", "resources", "search")},
    "nvidia": {"data/mel_dali.py"},
    "scaper": {"data/soundscape.py"},
    "soxbindings": {"data/soundscape.py"},
    "jams": {"data/soundscape.py"},
}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def relative(path):
    return path.relative_to(ROOT / "raysed").as_posix()


def layer_name(module):
    return module.split(".")[1] if module.count(".") else None


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_edges_stay_at_the_edge(path):
    for module in imports(path):
        allowed = EDGE.get(module.split(".")[0])
        assert allowed is None or relative(path) in allowed, f"{relative(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_go_down(path):
    own = relative(path).split("/")[0].removesuffix(".py")
    if own == "__init__":
        return
    for module in imports(path):
        other = layer_name(module)
        if not module.startswith("raysed.") or other == own or path.name == "__main__.py":
            continue
        assert LAYERS[other] < LAYERS[own], f"{relative(path)} ({own}) imports {module}"


def test_edge_modules_are_where_the_rules_say():
    found = {edge: set() for edge in EDGE}
    for path in FILES:
        for module in imports(path):
            if module.split(".")[0] in EDGE:
                found[module.split(".")[0]].add(relative(path))
    assert found["ray"] == EDGE["ray"]
    assert found["nvidia"] == EDGE["nvidia"]
    assert found["scaper"] == EDGE["scaper"]


def test_no_pickle_and_no_unsafe_yaml():
    for path in FILES:
        text = path.read_text()
        assert "yaml.load(" not in text and "pickle.load" not in text
        assert "weights_only=False" not in text and "allow_pickle=True" not in text


@pytest.mark.parametrize(
    "path",
    [*FILES, *sorted((ROOT / "benchmarks").glob("*.py"))],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 300
