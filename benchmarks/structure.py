"""`python -m benchmarks.structure [CHECKOUT ...]`: the shape of the code, as a table with a column for each checkout.

Reads syntax trees only; the rules on layers are those of the checkout's own tests/test_architecture.py.
"""

import ast
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

LONG_LINES, COMPLEX = 40, 10
RUN_FILES = re.compile(
    r"(^|/)((result|plan|failed|stopped|status|made_by|config)\.json|progress\.jsonl|space\.yaml|log\.txt"
    r"|driver\.lock|(checkpoints|scores|statistics)/)"
)
Layers = dict[str, int]


@dataclass(frozen=True)
class Code:
    """The package of one checkout, parsed."""

    root: Path

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """Syntax tree of each module, by its path in the package."""
        package = self.root / "raysed"
        paths = sorted(package.rglob("*.py"))
        if not paths:
            raise typer.BadParameter(f"{self.root} holds no raysed/*.py: give a checkout")
        return {p.relative_to(package).as_posix(): ast.parse(p.read_text()) for p in paths}

    def modules_per_folder(self) -> Counter[str]:
        """Modules directly in each folder, without __init__.py and __main__.py."""
        paths = [Path(name) for name in self.trees if not Path(name).stem.startswith("__")]
        return Counter(path.parent.as_posix().removeprefix(".") for path in paths)

    def upward_imports(self) -> list[str]:
        """Imports from the own layer's neighbours or from above."""
        layers = layers_of(self.root / "tests" / "test_architecture.py")
        found = []
        for name, tree in self.trees.items():
            own = room(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."), layers)
            if own is None or name.endswith("__main__.py"):
                continue
            for module in imported(tree):
                other = room(module, layers)
                if other and other != own and layers[other] >= layers[own]:
                    found.append(f"{name}: {module}")
        return found

    def naming_run_files(self) -> list[str]:
        """Modules with a literal that is the name of a file or folder of a run."""
        return [name for name, tree in self.trees.items() if any(map(is_run_file, texts(tree)))]

    def long_functions(self) -> list[str]:
        """Functions of more than LONG_LINES lines, docstring included, the longest first."""
        lengths = {
            f"{name}: {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
            for name, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        long = sorted(lengths.items(), key=lambda item: -item[1])
        return [f"{where} ({lines})" for where, lines in long if lines > LONG_LINES]

    def complex_functions(self) -> list[str]:
        """Functions of a cyclomatic complexity over COMPLEX, as ruff counts it."""
        ruff = Path(sys.executable).with_name("ruff")
        options = ["--isolated", "--select=C901", "--exit-zero", "--output-format=json"]
        limit = f"lint.mccabe.max-complexity={COMPLEX}"
        command = [ruff, "check", *options, "--config", limit, self.root / "raysed"]
        output = subprocess.run(command, capture_output=True, check=True).stdout
        package = (self.root / "raysed").resolve()
        return [
            f"{Path(each['filename']).resolve().relative_to(package)}: {each['message']}"
            for each in json.loads(output)
        ]

    def names_twice(self) -> list[str]:
        """Public classes and functions that two modules define."""
        where: dict[str, list[str]] = defaultdict(list)
        for name, tree in self.trees.items():
            for node in tree.body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_":
                    where[node.name].append(name)
        return [f"{name}: {', '.join(at)}" for name, at in sorted(where.items()) if len(at) > 1]


def layers_of(rules: Path) -> Layers:
    """Read LAYERS: a dict of numbers, or sets of names from the ground up."""
    for node in ast.parse(rules.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS":
            layers = ast.literal_eval(node.value)
            if isinstance(layers, dict):
                return layers
            return {name: layer for layer, names in enumerate(layers) for name in names}
    raise typer.BadParameter(f"{rules} holds no LAYERS")


def room(module: str, layers: Layers) -> str | None:
    """Return the longest name in the layers that holds a module, None for none."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in layers), None)


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of raysed that a module imports, without `raysed.`."""
    for node in ast.walk(tree):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name.removeprefix("raysed.") for name in names if name.startswith("raysed."))


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield the strings of a module, parts of f-strings among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def is_run_file(text: str) -> bool:
    """Tell whether a string is a path within a run, not a sentence about one."""
    return not re.search(r"[\s<]", text) and RUN_FILES.search(text) is not None


def measured(code: Code) -> dict[str, list[str]]:
    """Return what is counted, by what it is called."""
    return {
        "imports that run upward": code.upward_imports(),
        "modules that name a run's file": code.naming_run_files(),
        f"functions over {LONG_LINES} lines": code.long_functions(),
        f"functions with complexity over {COMPLEX}": code.complex_functions(),
        "public names defined twice": code.names_twice(),
    }


def table(codes: Iterable[tuple[str, Code]]) -> list[str]:
    """Return the table in Markdown: what is counted, then the modules of each folder."""
    codes = list(codes)
    found = [measured(code) for _, code in codes]
    folders = [code.modules_per_folder() for _, code in codes]
    rows = [["modules", *(str(sum(each.values())) for each in folders)]]
    rows += [[what, *(str(len(each[what])) for each in found)] for what in found[0]]
    names = sorted({name for each in folders for name in each})
    rows += [
        [f"modules in raysed/{name}", *(str(each[name]) for each in folders)] for name in names
    ]
    head = ["", *(name for name, _ in codes)]
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def main(
    checkouts: Annotated[list[Path] | None, typer.Argument(help="Default: this one.")] = None,
    show: Annotated[bool, typer.Option(help="List what is counted, too.")] = False,
) -> None:
    """Print the table; with --show, what stands behind its numbers."""
    paths = checkouts or [Path(__file__).parents[1]]
    codes = [(path.resolve().name, Code(path)) for path in paths]
    print("\n".join(table(codes)))
    for name, code in codes if show else []:
        for what, items in measured(code).items():
            print(f"\n{name}, {what}:", *items, sep="\n  ")


if __name__ == "__main__":
    typer.run(main)
