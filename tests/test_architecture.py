"""The import rules of docs/architecture.md and a test file beside every module, read from the syntax trees."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.paths import ROOT

FILES = sorted((ROOT / "raysed").rglob("*.py"))

# From the ground up. A module imports from lower lines, and from its own package; the longest name counts.
LAYERS = (
    {
        "storage",
        "exit_codes",
        "beat",
        "draws",
        "text",
        "interrupts",
        "package_version",
        "extras",
        "freed_memory",
    },
    {"data.containers"},
    {"evaluation.metrics.own_metric"},
    {"evaluation.metrics.registry"},
    {"config", "pulse"},
    {"local_ray", "cluster_watch"},
    {"ray_cluster"},
    {"data", "model.cpu", "model.gpu", "evaluation", "evaluation.detections"},
    {
        "data.recorded",
        "data.soundscapes",
        "data.features",
        "data.encoders",
        "model",
        "evaluation.counts",
    },
    {"data.build", "evaluation.metrics"},
    {"data.pictures", "evaluation.intervals"},
    {"evaluation.postprocessing", "evaluation.score", "run"},
    {"training"},
    {"doctor", "report", "predict"},
    {"page", "tune"},
    {"demo", "interface"},
    {"cli"},
)

EDGE = {
    # predict/parallel.py spreads folders of recordings over a cluster, as job.py does shards.
    "ray": {
        "local_ray.py",
        "cluster_watch.py",
        "ray_cluster.py",
        "data/build/job.py",
        "predict/parallel.py",
    }
    | {f"tune/{n}.py" for n in ("run_space", "trainable", "trial_progress", "resources", "asha")}
    | {"tune/card_hosts.py"}
    | {"tune/tracking.py"}
    | {"tune/cell_columns.py"},
    "nvidia": {"data/features/mel_dali.py"},
    "scaper": {"data/soundscapes/soundscape.py"},
    "soxbindings": {"data/soundscapes/sox_effects.py"},
    # `raysed score --engine` imports them by name, where they are installed.
    "psds_eval": set(),
    "sed_eval": set(),
    "sed_scores_eval": set(),
    "jams": {"data/soundscapes/soundscape.py"},
    "pyloudnorm": {"data/soundscapes/loudness.py"},
    "tensorboardX": {"training/tensorboard.py"},
    # raysed/tune/trackers.py imports them by name, where a space asks for them.
    "wandb": set(),
    "mlflow": set(),
    "triton": {f"model/gpu/{n}.py" for n in ("tiles", "norm_kernels", "gate_kernels", "launches")},
}


@cache
def tree_of(path):
    """The syntax tree of a file of this checkout, read once."""
    return ast.parse(path.read_text())


def imports(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def relative(path):
    return path.relative_to(ROOT / "raysed").as_posix()


def room(module):
    """The longest name in LAYERS that holds a module, by its name without `raysed.`, and its layer."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for layer, names in enumerate(LAYERS):
            if name in names:
                return name, layer
    raise AssertionError(f"{module} stands in no layer")


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_edges_stay_at_the_edge(path):
    for module in imports(path):
        allowed = EDGE.get(module.split(".")[0])
        assert allowed is None or relative(path) in allowed, f"{relative(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_go_down(path):
    if path.name == "__main__.py" or (path.parent.name == "raysed" and path.name == "__init__.py"):
        return
    own, layer = room(
        relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )
    for module in imports(path):
        if not module.startswith("raysed."):
            continue
        other, below = room(module.removeprefix("raysed."))
        assert below < layer or other == own, f"{relative(path)} ({own}) imports {module}"


def test_a_file_name_stands_for_one_thing():
    names = [path.stem for path in FILES if not path.stem.startswith("__")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def public_names(tree):
    """The classes, functions and constants that a module defines at its top level, imports left out."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = [target.id for target in targets if isinstance(target, ast.Name)]
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            named = [node.name]
        yield from (name for name in named if not name.startswith("_"))


def test_public_names_are_those_that_a_module_defines():
    text = "import os\nA = 1\nB: int = 2\n_C = 3\ndef d(): e = 1\nclass F:\n    g = 1\n"
    assert list(public_names(ast.parse(text))) == ["A", "B", "d", "F"]


def test_a_public_name_stands_for_one_thing():
    places = {}
    for path in FILES:
        for name in set(public_names(tree_of(path))):
            places.setdefault(name, []).append(relative(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


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


_CLAUSE = ("What", "Where", "Whose", "How", "Whether", "Which", "Why", "Who", "When")


def docstrings(tree):
    """Every string that stands alone: docstrings of modules, classes, functions and attributes."""
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def is_bare_clause(docstring):
    """Such as `What one trial takes.`, which has no main clause."""
    return docstring.split(None, 1)[0].rstrip(",.:;") in _CLAUSE


def test_a_bare_clause_is_told_from_a_sentence():
    assert is_bare_clause("What one trial takes.") and is_bare_clause("\n    How long.")
    assert not is_bare_clause("Whatever is given.") and not is_bare_clause("Return what is there.")


@pytest.mark.parametrize(
    "path",
    [*FILES, *sorted((ROOT / "benchmarks").glob("*.py"))],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_docstrings_are_sentences(path):
    bare = [text for text in docstrings(tree_of(path)) if is_bare_clause(text)]
    assert bare == [], "write `Return ...`, `Tell whether ...` or a noun with its article"


@pytest.mark.parametrize(
    "path",
    [*FILES, *sorted((ROOT / "benchmarks").glob("*.py"))],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 300


BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.Match, ast.Try, ast.comprehension)
STATEMENTS = 3


def functions(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def has_logic(path):
    """Whether a function of the module branches, loops or has more than a few statements."""
    for function in functions(path):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        inside = [node for statement in body for node in ast.walk(statement)]
        statements = sum(isinstance(node, ast.stmt) for node in inside)
        if statements > STATEMENTS or any(isinstance(node, BRANCHES) for node in inside):
            return True
    return False


def has_tests(module):
    """Whether the test file beside a module, a/b.py -> tests/a/test_b.py, holds a test."""
    path = ROOT / "tests" / Path(module).with_name(f"test_{Path(module).name}")
    return path.is_file() and any(f.name.startswith("test_") for f in functions(path))


def test_every_module_with_logic_has_a_test_file():
    modules = {relative(path) for path in FILES if has_logic(path)}
    assert sorted(module for module in modules if not has_tests(module)) == []


@pytest.mark.parametrize(
    ("source", "logic"),
    [
        ("X = [n for n in range(3)]", False),
        ("def f(x):\n    '''Say.'''\n    a = x\n    b = a\n    return b", False),
        ("def f(x):\n    a = x\n    b = a\n    c = b\n    return c", True),
        ("def f(x):\n    return 1 if x else 2", True),
        ("class C:\n    def f(self, x):\n        return [n for n in x]", True),
        ("class C:\n    x: int = 3\n    def f(self):\n        return self.x", False),
        ("async def f(x):\n    try:\n        return x()\n    except OSError:\n        pass", True),
    ],
)
def test_what_counts_as_logic(tmp_path, source, logic):
    path = tmp_path / "module.py"
    path.write_text(source)
    assert has_logic(path) is logic
