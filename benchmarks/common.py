"""Paired timing on one core, and the form of a result: a table, then one line of JSON.

CPU time of the process is measured, not wall time, so that other work on the machine changes a ratio little.
For every row both sides really ran, on the same inputs, and their outputs were compared.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.table import RESULTS, write_tables

_PACKAGES = ("raysed", "numpy", "scipy", "torch", "torchaudio", "nvidia-dali-cuda130", "librosa")
_PACKAGES += ("scaper", "soxbindings", "ray", "pyarrow")


@dataclass(frozen=True)
class Row:
    """One comparison; ratios above 1 mean faster than the reference."""

    name: str
    reference: str
    ratio: float
    """The ratio, as median over the pairs."""
    ratio_min: float
    ratio_max: float
    n: int
    """Number of pairs."""
    unit: str
    value: float
    """Ours, in `unit`."""
    reference_value: float
    error: float
    """Largest absolute difference of the two outputs."""
    limit: str
    """The resource that bounds ours."""
    ceiling: float | None = None
    """The ceiling of ours, in `unit`: what its floor alone would give; None where it was not measured."""


def one_core() -> int:
    """Pin this process to its first core; return its number."""
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def cpu_seconds(work: Callable[[int], object], argument: int) -> float:
    """Return the CPU time, user and system, of this process during `work(argument)`."""
    start = time.process_time()
    work(argument)
    return time.process_time() - start


def least_s(work: Callable[[int], object], times: int = 7) -> float:
    """Return the least CPU time of some calls, after one that does not count, as a floor."""
    work(0)
    return min(cpu_seconds(work, n) for n in range(times))


def paired(
    ours: Callable[[int], object],
    reference: Callable[[int], object],
    *,
    pairs: int,
    warm_up: int = 1,
    clock: Callable[[Callable[[int], object], int], float] = cpu_seconds,
) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of both for each pair, or what another `clock` reads, after `warm_up` pairs that do not count.

    Both get the number of the pair, and they take turns in going first.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for pair in range(-warm_up, pairs):
        order = ((0, ours), (1, reference)) if pair % 2 else ((1, reference), (0, ours))
        for side, work in order:
            seconds = clock(work, pair + warm_up)
            if pair >= 0:
                times[side].append(seconds)
    return times


def row(
    name: str,
    reference: str,
    times: tuple[Sequence[float], Sequence[float]],
    *,
    items: int,
    unit: str,
    error: float,
    limit: str,
    floor_s: float | None = None,
) -> Row:
    """Return a row of paired times, `items` things in each; `floor_s` is the least time that ours could take."""
    ratios = [theirs / ours for ours, theirs in zip(*times, strict=True)]
    return Row(
        name=name,
        reference=reference,
        ratio=round(median(ratios), 2),
        ratio_min=round(min(ratios), 2),
        ratio_max=round(max(ratios), 2),
        n=len(ratios),
        unit=unit,
        value=float(f"{items / median(times[0]):.4g}"),
        reference_value=float(f"{items / median(times[1]):.4g}"),
        error=float(f"{error:.2g}"),
        limit=limit,
        ceiling=None if floor_s is None else float(f"{items / floor_s:.4g}"),
    )


def idle_share(seconds: float = 3.0) -> float:
    """Return the share of all cores that was idle for a while, from /proc/stat."""

    def read() -> tuple[int, int]:
        fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return fields[3] + fields[4], sum(fields)

    idle, total = read()
    time.sleep(seconds)
    later_idle, later_total = read()
    return (later_idle - idle) / max(later_total - total, 1)


def document(benchmark: str, rows: Sequence[Row], **more: Any) -> dict[str, Any]:
    """Return the JSON document of a run."""
    return {
        "benchmark": benchmark,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "hardware": _hardware(),
        "threads": 1,
        "clock": "CPU seconds of the process, one core",
        "versions": {"python": platform.python_version()} | {p: _version(p) for p in _PACKAGES},
        **more,
        "rows": [asdict(r) for r in rows],
    }


def publish(content: dict[str, Any], store: bool) -> None:
    """Print the table and, last, the document on one line; keep it in results/ if asked to."""
    names = (
        "what",
        "against",
        "ratio",
        "from-to",
        "n",
        "ours",
        "reference",
        "ceiling",
        "unit",
        "error",
    )
    table = Table(*names)
    for r in content["rows"]:
        spread = f"{r['ratio_min']}-{r['ratio_max']}"
        ceiling = "" if r["ceiling"] is None else r["ceiling"]
        values = (r["ratio"], spread, r["n"], r["value"], r["reference_value"], ceiling, r["unit"])
        table.add_row(r["name"], r["reference"], *(str(v) for v in values), f"{r['error']:.1g}")
    if content["rows"]:
        Console(width=160).print(table)
    for r in content["rows"]:
        print(f"{r['name']}: limited by {r['limit']}")
    if store:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{content['benchmark']}.json"
        path.write_text(json.dumps(content, indent=1) + "\n")
        write_tables()
    print(json.dumps(content))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


def _commit() -> str:
    def git(*arguments: str) -> str:
        here = Path(__file__).parent
        done = subprocess.run(
            ["git", *arguments], cwd=here, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = "-dirty" if git("status", "--porcelain", "--untracked-files=no") else ""
    return f"{git('rev-parse', '--short', 'HEAD') or 'unknown'}{changed}"


def _hardware() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = next(
        int(line.split()[1])
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemTotal")
    )
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e6, 1),
    }
