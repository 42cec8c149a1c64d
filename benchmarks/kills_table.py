"""The table of a campaign of kills (benchmarks/kills.py), which docs/reliability.md shows."""

import json
from pathlib import Path
from typing import Any

from benchmarks.table import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


def table(stages: list[dict[str, Any]]) -> str:
    """Return the table of docs/reliability.md."""
    lines = [
        "| what | kills | of what | ends | files | bytes compared | the same |",
        "|---|---|---|---|---|---|---|",
    ]
    for stage in stages:
        killed = ", ".join(
            f"{n} {name.removeprefix('ray::')}" for name, n in sorted(stage["killed"].items())
        )
        ends = ", ".join(
            f"{n} with {code}" for code, n in sorted(stage["ends"].items(), key=lambda e: int(e[0]))
        )
        total, same = sum(stage["killed"].values()), "yes" if stage["same"] else "NO"
        lines.append(
            f"| {stage['name']} | {total} | {killed} | {ends} | {stage['files']} | {stage['compared_bytes']:,} | {same} |"
        )
    return "\n".join(lines)


def stored_table() -> str:
    """Return the table of the stored campaign, and when it was; a sentence where there is none."""
    path = RESULTS / "kills.json"
    if not path.exists():
        return "No campaign is stored yet."
    content = json.loads(path.read_text())
    return f"{content['date'][:10]}, commit {content['commit']}, seed {content['seed']}.\n\n{table(content['stages'])}"
