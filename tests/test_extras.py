"""The base installation imports and does what it promises; what lacks an extra says which."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from raysed.exit_codes import REFUSED
from raysed.extras import EXTRAS, NEEDS, advice, extras_of
from tests.base_installation import COMMAND, run_base
from tests.paths import ROOT
from tests.test_architecture import FILES, imports, relative

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
AT_THE_EDGE = {"cluster_watch", "local_ray", "ray_cluster", "model.gpu", "tune", "demo"} | {
    *("data.build.job", "data.features.mel_dali", "predict.parallel", "training.train"),
    *("data.soundscapes.loudness", "data.soundscapes.rendering", "data.soundscapes.soundscape"),
    "data.soundscapes.sox_effects",
    "training.tensorboard",
}
"""Modules that an extra's package stands in; all others are imported by the base installation."""


def names(requirements):
    return {re.split(r"[\[=<>; ]", each)[0].lower().replace("-", "_") for each in requirements}


def distributions(module, of_modules):
    return {name.lower().replace("-", "_") for name in of_modules.get(module, ())}


@pytest.mark.parametrize(
    ("module", "command", "extras"),
    [
        ("scaper", "data", ("data",)),
        ("ray._private.x", "data", ("data",)),
        ("ray", "tune", ("tune",)),
        ("scaper", "tune", ("tune", "data")),
        ("ray", "demo", ("data", "tune")),
        ("pyloudnorm", "demo", ("data", "tune")),
        ("ray", "predict", ("tune",)),
        ("nvidia.dali", "data", ("data", "gpu")),
        ("psds_eval", "score", ("reference",)),
        ("onnx", "export", ("onnx",)),
        ("onnx", "predict", ("onnx",)),
        ("scaper", "", ("data",)),
        ("numpy", "data", ()),
        ("raysed.nothing", "tune", ()),
    ],
)
def test_the_extra_of_a_package(module, command, extras):
    assert extras_of(module, command) == extras
    told = advice(module, command)
    assert (told is None) == (not extras)
    assert not extras or f"'raysed[{','.join(extras)}]'" in str(told)


def test_every_extra_is_one_that_can_be_installed():
    optional = PROJECT["optional-dependencies"]
    assert {*EXTRAS} <= {*optional}
    assert {extra for extras in NEEDS.values() for extra in extras} <= {*EXTRAS}
    (whole,) = optional["all"]
    parts = set(whole.removeprefix("raysed[").removesuffix("]").split(","))
    assert parts == {*optional} - {"all", "dev", "docs"}
    assert "raysed[all]" in optional["dev"]


def test_every_import_is_of_the_base_or_of_an_extra():
    base, known = names(PROJECT["dependencies"]), {m for each in EXTRAS.values() for m in each}
    foreign = {}
    for path in FILES:
        for module in {name.split(".")[0] for name in imports(path)}:
            foreign.setdefault(module, []).append(relative(path))
    of_modules = packages_distributions()
    for module, places in foreign.items():
        if module in sys.stdlib_module_names or module in known | {"raysed", "triton"}:
            continue
        bringing = distributions(module, of_modules) | {module.replace("pydantic_core", "pydantic")}
        assert bringing & base, f"{module} ({places}) is neither of the base nor of an extra"


def is_at_the_edge(module):
    return any(module == edge or module.startswith(f"{edge}.") for edge in AT_THE_EDGE)


def test_every_other_module_is_imported_by_the_base_installation():
    modules = [relative(p).removesuffix(".py").replace("/", ".") for p in FILES]
    modules = [m.removesuffix(".__init__") for m in modules if not m.endswith("__main__")]
    wanted = [f"raysed.{m}" for m in modules if not is_at_the_edge(m) and m != "__init__"]
    assert len(wanted) > 150
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    done = run_base(code, *wanted, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "extras"),
    [
        (("tune", "tune_spaces/demo.yaml"), "tune"),
        (("data", "data_jobs/demo.yaml"), "data"),
        (("demo",), "data,tune"),
    ],
)
def test_a_command_that_lacks_its_extra_says_which(arguments, extras):
    done = run_base(COMMAND, *arguments, cwd=ROOT)
    assert (done.returncode, done.stdout) == (REFUSED, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: No module named '")
    assert f"`raysed {arguments[0]}` needs more" in second and f"'raysed[{extras}]'" in second


def test_soundscapes_without_scaper_are_refused_before_work(tmp_path, monkeypatch):
    from raysed.data.build import job as building

    class Plan:
        source = object.__new__(building.SyntheticSource)

    monkeypatch.setattr(building, "find_spec", lambda name: None)
    monkeypatch.setattr(building, "start_ray", lambda address: pytest.fail("Ray was started"))
    with pytest.raises(ModuleNotFoundError, match="scaper") as refused:
        building._start(None, [Plan()], None)
    assert refused.value.name == "scaper"


def test_no_other_place_knows_the_names_of_extras():
    """A message about an extra is made in one place, but for packages that are asked for by name."""
    found = [
        relative(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"pip install 'raysed\[(?!all)", node.value)
    ]
    assert {*found} <= {
        "extras.py", "evaluation/score/engines.py", "predict/export.py", "data/build/mel_backend.py",
        "data/encoders/onnx_file.py", "data/encoders/speech_embedding.py",
        "predict/hub.py",  # the card tells its reader
    }  # fmt: skip


def test_the_base_scores(tmp_path):
    rows = "filename\tonset\toffset\tevent_label\n" + "".join(f"{n}.wav\t1\t2\tA\n" for n in "abc")
    (tmp_path / "truth.tsv").write_text(rows)
    done = run_base(
        COMMAND, "score", "--predictions", "truth.tsv", "--ground-truth", "truth.tsv",
        "--draws", "20", "--json", cwd=tmp_path, path=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["event_f1"]["value"] == 1.0
