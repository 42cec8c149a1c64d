import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.report import latex
from raysed.report.report import write_report
from raysed.storage.folder import Folder

END = r"\tabularnewline"


def files(folder):
    return {path.name: path.read_text() for path in folder.glob("tables/*.tex")}


def balanced(text):
    """Environments are closed in order, and so are braces that are not escaped."""
    open_environments, depth = [], 0
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if what == "begin":
            open_environments.append(name)
        elif not open_environments or open_environments.pop() != name:
            return False
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0 and not open_environments


def cells_in(row):
    return len(re.split(r"(?<!\\)&", row))


@pytest.fixture(scope="module")
def texts(templates, tmp_path_factory):
    root = shutil.copytree(templates / "claimed", tmp_path_factory.mktemp("latex") / "claimed")
    write_report(Folder(str(root)))
    return files(root)


def test_every_file_is_balanced(texts):
    assert set(texts) == {"1.tex", "2.tex", "claims.tex", "tables.tex"}
    assert all(balanced(text) for text in texts.values())
    assert not balanced(r"\begin{table}") and not balanced("{") and balanced(r"\{")


@pytest.mark.parametrize(
    ("name", "columns"), [("1.tex", [3, 3]), ("2.tex", [4, 3]), ("claims.tex", [7])]
)
def test_every_row_has_all_columns(texts, name, columns):
    """`poor` is not scored on eval."""
    found = []
    for table in re.split(r"\\begin\{(?:tabular|longtable)\}", texts[name])[1:]:
        rows = [line for line in table.splitlines() if line.endswith(END) and "&" in line]
        assert len(rows) > 8
        found += {cells_in(row) for row in rows}
    assert found == columns


def test_a_column_is_a_cell_and_a_row_a_seed(texts):
    _, evaluation = texts["2.tex"].split(r"\caption{Table 2, eval")
    val = texts["2.tex"].removesuffix(evaluation)
    assert (
        r"& \raggedright the fair-2 one & \raggedright the fair-wet one & \raggedright the poor"
        in val
    )
    assert [row.split(" &")[0] for row in val.splitlines() if row.endswith(END)][1:] == [
        r"event F1 \%",
        r"\quad 95\,\% interval",
        r"\quad published",
        r"\quad ours by its recipe, 90\,\%",
        r"\quad seed 0",
        r"\quad seed 1",
        r"\quad less fair-2",
        r"\quad simultaneous",
        "PSDS",
        r"\quad 95\,\% interval",
        r"\quad published",
        r"\quad ours by its recipe, 90\,\%",
        r"\quad seed 0",
        r"\quad seed 1",
        r"\quad less fair-2",
        r"\quad simultaneous",
    ]
    assert r"\quad published & 30.0 & 30.5 & 20.0" in val
    assert r"\quad published" not in evaluation
    assert r"\raggedright the poor" not in evaluation  # not scored there


def test_the_document_has_them_all(texts):
    names = re.findall(r"\\input\{(.+?)\}", texts["tables.tex"])
    assert [f"{name}.tex" for name in names] == ["1.tex", "2.tex", "claims.tex"]
    assert r"\usepackage{booktabs,longtable}" in texts["tables.tex"]


def test_text_is_escaped():
    assert latex.escape("50 % of a_b & c#1 $x {y}") == r"50 \% of a\_b \& c\#1 \$x \{y\}"
    assert latex.escape("T4-\N{INFINITY} <= \\x~^") == (
        r"T4-$\infty$ \textless{}= \textbackslash{}x\textasciitilde{}\textasciicircum{}"
    )


@given(st.text(alphabet=r"ab%&_#${}\~^<>", max_size=20))
def test_nothing_special_survives_escaping(text):
    bare = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater)\{\}",
        "",
        latex.escape(text),
    )
    assert not re.search(r"(?<!\\)[%&_#${}~^]", bare)
