"""The documents say what the program does: messages, links, commands, keys, defaults, published values."""

import ast
import re
from functools import cache
from typing import Annotated, Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined
from typer.main import get_command

from raysed.cli.commands import app
from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob, RecordedSet, SyntheticSet
from raysed.config.layers import read_layers
from raysed.config.space import Space
from raysed.config.trial import Trial
from tests.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "cluster" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODELS = (Trial, DataJob, Space)
GAP = "\0"


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def text_of(name):
    return (ROOT / name).read_text()


# --- messages ---------------------------------------------------------------------------------------------


def template(node):
    """The text of a string or f-string, its values as GAP; None for other nodes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) or GAP for part in node.values)
    return None


@cache
def templates():
    found = set()
    for path in (ROOT / "raysed").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            text = template(node)
            if text:
                found.add(re.sub(r"\s+", " ", text))
    return sorted(found)


def messages():
    """What docs/faq.md quotes at the head of its items."""
    items = re.findall(
        r"^\* (`.*?) \N{EN DASH} ", text_of("docs/faq.md"), flags=re.MULTILINE | re.DOTALL
    )
    return [re.sub(r"\s+", " ", m) for item in items for m in re.findall(r"`([^`]+)`", item)]


def is_printed(message):
    """Whether one string of the source holds the quoted parts in their order, up to the last gap."""
    wanted = ".*".join(re.escape(part) for part in message.split("…"))
    return any(re.search(wanted, text, flags=re.DOTALL) for text in templates())


def test_the_questions_are_many():
    assert len(messages()) > 70


@pytest.mark.parametrize("message", messages())
def test_quoted_messages_are_in_the_source(message):
    assert len(message.replace("…", "").strip(" :,;()")) >= 6
    assert is_printed(message)


def test_a_message_that_nothing_prints_is_noticed():
    assert not is_printed("…: no such dataset; roots.recorded holds …")


def test_known_reports_name_tests_that_there_are():
    named = set(re.findall(r"`(test_\w+)`", text_of("docs/known_reports.md")))
    there = {
        found
        for path in (ROOT / "tests").rglob("test_*.py")
        for found in re.findall(r"^def (test_\w+)", path.read_text(), flags=re.MULTILINE)
    }
    assert len(named) > 20 and sorted(named - there) == []


# --- links ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    dead = [
        link
        for link in links
        if not re.match(r"[a-z]+://|mailto:|#", link)
        and not (page.parent / link.split("#")[0]).exists()
    ]
    assert not dead


# --- commands ---------------------------------------------------------------------------------------------


def commands(page, pattern):
    """(name, rest of the line) of what a page tells to type: indented lines, and code in the text."""
    text = page.read_text()
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4}(.+)$", text, flags=re.MULTILINE)
    lines = (re.sub(r"\s# .*", "", line) for line in code)
    return [found.groups() for line in lines if (found := re.match(pattern, line))]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_raysed_commands_and_their_options_exist(page):
    known = get_command(app).commands
    for name, rest in commands(page, r"(?:\.venv/bin/)?raysed ([a-z]+)\b(.*)"):
        assert name in known, f"raysed {name}"
        options = {option for p in known[name].params for option in (*p.opts, *p.secondary_opts)}
        asked = re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest)
        assert set(asked) <= {*options, "--help"}, f"raysed {name}: {set(asked) - options}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_that_are_run_exist(page):
    for (module,) in commands(page, r".*?python -m ([a-z_]+(?:\.[a-z_]+)+)(?![.\w])(?:.*)"):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_exist(page):
    targets = re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.MULTILINE)
    for (target,) in commands(page, r"make ([a-z-]+)\b(?:.*)"):
        assert target in targets, f"make {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_named_yaml_files_exist(page):
    named = re.findall(r"\b((?:data_jobs|tune_spaces)/\w+\.yaml)", page.read_text())
    # What docs/extending.md adds.
    own = {"tune_spaces/dropout.yaml", "tune_spaces/amsgrad.yaml"}
    assert [path for path in named if path not in own and not (ROOT / path).is_file()] == []


def test_shown_diffs_are_of_the_code_as_it_is():
    shown = re.findall(r"```diff\n(.*?)```", text_of("docs/extending.md"), flags=re.DOTALL)
    parts = re.findall(
        r"^--- a/(\S+)\n(.*?)(?=^--- |\Z)", "\n".join(shown), re.DOTALL | re.MULTILINE
    )
    assert len(parts) >= 3
    for name, part in parts:
        for hunk in re.split(r"^@@ .*\n", part, flags=re.MULTILINE)[1:]:
            before = [line[1:] for line in hunk.splitlines() if not line.startswith("+")]
            assert "\n".join(before).strip("\n") in text_of(name), name


# --- keys, defaults and values of docs/reproduction.md ----------------------------------------------------


def fields_of(annotation):
    """The models behind an annotation, unions and containers opened."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in fields_of(inner)]


def resolve(key, models=MODELS):
    """The field behind a dotted key, `*` for any name; None where there is none."""
    first, _, rest = key.partition(".")
    if first == "*":
        return resolve(rest, models)
    for model in models:
        field = model.model_fields.get(first)
        if field is None:
            continue
        inner = fields_of(field.annotation)
        if first == "sets":
            inner = [RecordedSet, SyntheticSet, AnnotatedSet]
        found = resolve(rest, inner) if rest else field
        if found is not None:
            return found
    return None


def differences():
    """The rows of the page's first table: cells without their outer spaces."""
    table = text_of("docs/reproduction.md").split("## Differences")[1].split("## Trials")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def keys_in(text):
    """(key, YAML value or None) of the code in a text that looks like a key of a configuration."""
    code = re.findall(r"`([a-z_*.]+)(?:: ([^`]+))?`", text)
    return [(key, value or None) for key, value in code if value or "." in key or key == "seeds"]


def all_keys():
    page = text_of("docs/reproduction.md")
    named = [key for key, _ in keys_in(page) if not re.search(r"\.(yaml|md|tsv)$|^raysed\.", key)]
    return sorted(set(named))


def test_the_page_names_keys():
    assert len(all_keys()) > 20


@pytest.mark.parametrize("key", all_keys())
def test_keys_resolve(key):
    assert resolve(key) is not None


def default_of(field):
    default = field.get_default(call_default_factory=True)
    if not isinstance(default, BaseModel):
        return default
    return {key: value for key, value in default.model_dump(mode="json").items() if value != {}}


@pytest.mark.parametrize("row", differences(), ids=lambda row: row[0])
def test_defaults_are_as_told_and_other_values_are_accepted(row):
    for key, value in keys_in(row[3]):
        field = resolve(key)
        if value is not None and default_of(field) is not PydanticUndefined:
            assert default_of(field) == yaml.safe_load(value), key
    for key, value in keys_in(row[4]):
        if value is not None:
            field = resolve(key)
            adapter = TypeAdapter(
                Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            )
            assert adapter.validate_python(yaml.safe_load(value)) is not None
            assert default_of(field) != yaml.safe_load(value), f"{key}: {value} is the default"


def test_defaults_of_the_trials_table():
    table = text_of("docs/reproduction.md").split("## Trials")[1].split("## Published")[0]
    found = [(key, value) for key, value in keys_in(table) if value is not None]
    assert len(found) == 5
    for key, value in found:
        assert default_of(resolve(key)) == yaml.safe_load(value), key


def space(name) -> dict[str, Any]:
    return read_layers(ROOT / "tune_spaces" / name)[0]


def test_variants_are_named_with_what_they_set(monkeypatch):
    monkeypatch.chdir(ROOT)
    cells = {cell["id"]: cell for cell in space("variants.yaml")["cells"]}
    named = set()
    for row in differences():
        for cell in re.findall(r"`([\w-]+)`", row[5]):
            named.add(cell)
            for key, value in keys_in(row[4]):
                content: Any = cells[cell]["set"]
                for step in key.split(".") if value else ():
                    content = content[step]
                assert not value or content == yaml.safe_load(value), cell
    assert named == cells.keys() - {
        "B",
        "T6-11",
        "T6-10",
        "T6-01",
        "T6-00",
    }  # these are what the others are compared with


def test_published_values_are_those_of_the_ablation(monkeypatch):
    monkeypatch.chdir(ROOT)
    table = text_of("docs/reproduction.md").split("## Published values")[1].split("Also held")[0]
    rows = {}
    for line in table.splitlines():
        if re.match(r"\| (B|T\d|DCASE)", line):
            cell, number, column, *values = (part.strip() for part in line.strip("|").split("|"))
            rows[cell] = (number, column, values)
    cells = space("ablation.yaml")["cells"]
    assert list(rows) == [cell["id"] for cell in cells]
    for cell in cells:
        expected = [f"{cell['published']['val']['event_f1']:.2%}".rstrip("%")]
        expected.append(f"{cell['published']['val']['psds']:.3f}")
        on_eval = cell["published"].get("eval")
        expected += (
            [f"{on_eval['event_f1'] * 100:.1f}", f"{on_eval['psds']:.3f}"] if on_eval else ["", ""]
        )
        assert rows[cell["id"]] == (cell["table"], cell["column"], expected)


def test_the_origin_of_annotated_sets():
    # `resolve` replaces the annotated union of `sets` by its members; they must be all of them.
    union = get_args(DataJob.model_fields["sets"].annotation)[1]
    members = get_args(get_args(union)[0]) if get_origin(union) is Annotated else get_args(union)
    assert set(members) == {RecordedSet, SyntheticSet, AnnotatedSet}


# --- the README and the site --------------------------------------------------------------------------------


def test_the_readme_is_short_and_leads_to_every_page():
    text = text_of("README.md")
    assert len(text.splitlines()) <= 120
    linked = set(re.findall(r"\]\(docs/(\w+\.md)", text))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages - linked == set()


def test_the_demo_takes_the_same_time_everywhere():
    places = ("README.md", "Makefile", "docs/commands.md", "raysed/cli/commands.py")
    times = {
        name: set(re.findall(r"about (\d+) minutes on 2 cores", text_of(name))) for name in places
    }
    assert len(set.union(*times.values())) == 1 and all(times.values()), times


def navigated(entry):
    """The pages that the site's navigation names."""
    if isinstance(entry, str):
        return [entry]
    below = entry.values() if isinstance(entry, dict) else entry
    return [page for each in below for page in navigated(each)]


def test_the_site_shows_every_page_once():
    site = yaml.safe_load(text_of("mkdocs.yml"))
    pages = sorted(p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md"))
    assert sorted(navigated(site["nav"])) == pages
    assert all((ROOT / hook).is_file() for hook in site["hooks"])


def test_links_that_leave_the_site_become_names():
    code = text_of("docs/site_links.py")
    names: dict[str, Any] = {}
    exec(compile(code, "site_links.py", "exec"), names)
    assert names["on_page_markdown"]("see [x](../a/b.md), [y](c.md)") == (
        "see x (`a/b.md` in the repository), [y](c.md)"
    )
