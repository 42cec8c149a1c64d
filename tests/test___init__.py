"""`import raysed`: its five names, typed, and loaded only when they are used."""

import ast
import json
import subprocess
import sys

import pytest

import raysed
from tests.interface.examples import demo_folder, examples, run_block
from tests.paths import ROOT

SLOW = {"torch", "pandas", "numpy", "numba", "pyarrow", "matplotlib", "typer", "ray", "scaper"}


def test_importing_loads_nothing_that_takes_time():
    code = "import sys, raysed; dir(raysed); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not SLOW & set(loaded.stdout.split())


def test_every_name_is_there_typed_and_documented():
    assert {*raysed.__all__} == {*raysed._PLACES} and {*raysed.__all__} <= {*dir(raysed)}
    tree = ast.parse((ROOT / "raysed/__init__.py").read_text())
    typed = {
        alias.asname: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("raysed.")
        for alias in node.names
    }
    places = {n: (f"raysed.interface.{m}", inside) for n, (m, inside) in raysed._PLACES.items()}
    assert typed == places
    for name in raysed.__all__:
        assert getattr(raysed, name).__doc__
        assert f"`raysed.{name}`" in (ROOT / "docs/python.md").read_text()


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="nothing"):
        _ = raysed.nothing


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the examples of docs/python.md give, run one after the other in a demo's folder."""
    root = demo_folder(tmp_path_factory.mktemp("examples"))
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("RAYSED_CACHE", str(root / "cache"))
        return [run_block(block, names) for block in examples()], names


def test_the_examples_of_the_page_run(shown):
    values, names = shown
    assert len(values) == 11
    assert values[0].loc["event_f1", "value"] == pytest.approx((1 + 0.5) / 2)
    assert list(values[2].columns) == ["cell", "metric", "value", "low", "high"]
    assert values[3].outcome == "undecided"
    assert names["batch"]["weak"].shape == (4, 2)
    assert len(names["waveform"]) == 2.0 * names["sample_rate"]


def test_the_notebook_is_the_page_and_was_run():
    notebook = json.loads((ROOT / "docs/python.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert ["".join(cell["source"]) for cell in code] == [block.strip() for block in examples()]
    assert [cell["execution_count"] for cell in code] == [*range(1, len(code) + 1)]
    assert not any(out["output_type"] == "error" for cell in code for out in cell["outputs"])
