"""`python -m benchmarks.table`: writes the tables of benchmarks/README.md from benchmarks/results/*.json.

The text between the two marks is replaced; the rest of the file is written by hand. A benchmark that keeps its
result (`--store`) does the same.
"""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- begin: python -m benchmarks.table -->", "<!-- end -->"
HEAD = "| what | against | ratio | from, to | n | ours | ceiling | unit |"


def number(value: float) -> str:
    """Format a number with three significant digits, thousands with commas."""
    if value >= 1000:
        digits = 10 ** (len(str(int(value))) - 3)
        return f"{round(value / digits) * digits:,}"
    return f"{value:.3g}"


def section(content: dict[str, Any]) -> list[str]:
    """Return a heading, what it was measured on, and a line for each row."""
    cpu = content["hardware"]
    about = f"{content['date'][:10]}, commit {content['commit']}, {cpu['cpu']}, {cpu['cores']} cores; {content['clock']}"
    if "idle_share_before" in content:
        about += f"; {content['idle_share_before']:.0%} of the cores idle before"
    lines = [f"### {content['benchmark']}", f"{about}.", "", HEAD, "|---" * HEAD.count(" |") + "|"]
    for row in content["rows"]:
        ceiling = row.get("ceiling")
        cells = [
            row["name"],
            row["reference"] + (" (extrapolated)" if row.get("extrapolated") else ""),
            number(row["ratio"]),
            f"{number(row['ratio_min'])}, {number(row['ratio_max'])}",
            str(row["n"]),
            number(row["value"]),
            "" if ceiling is None else number(ceiling),
            row["unit"],
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def tables(results: Path = RESULTS) -> str:
    """Return all results that have rows, in alphabetical order."""
    lines = []
    for path in sorted(results.glob("*.json")):
        content = json.loads(path.read_text())
        if content.get("rows"):
            lines += section(content)
    return "\n".join(lines)


def with_tables(text: str, made: str) -> str:
    """Return the text with `made` between its marks. Raises ValueError where a mark is missing."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"{README}: the marks {BEGIN} and {END} are missing")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{made.rstrip()}\n{END}{rest.partition(END)[2]}"


def write_tables() -> None:
    """Write benchmarks/README.md again."""
    README.write_text(with_tables(README.read_text(), tables()))


if __name__ == "__main__":
    write_tables()
    print(f"{README} written from {RESULTS}")
