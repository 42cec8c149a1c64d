"""`python -m benchmarks.install`: how long a command takes to start, and with --wheel what an installation takes.

CPU seconds of a process, user and system, are measured, since a busy machine changes them little; on an idle one they are
the wall time, as each process has one thread. Each start is paired with that of a bare Python, the two in turns.
`--wheel` builds the wheel, installs it with what it needs into a new environment, and measures bytes and seconds: some
gigabytes, some minutes, and as fast as the network is.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import Row, document, idle_share, publish, row

_START = {
    "import raysed": ("-c", "import raysed"),
    "raysed --help": ("-m", "raysed.cli", "--help"),
    "raysed score --help": ("-m", "raysed.cli", "score", "--help"),
    "raysed --version": ("-m", "raysed.cli", "--version"),
    "from raysed import score": ("-c", "from raysed import score"),
    "from raysed import Detector": ("-c", "from raysed import Detector"),
}
_LIMITS_S = {"import raysed": 0.3, "raysed --help": 0.5, "raysed score --help": 0.8}
_BARE = ("-c", "pass")
_ROOT = Path(__file__).parents[1]


def start(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Return the CPU and the wall seconds of a Python process with these arguments."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit code {process.returncode}")
    return usage.ru_utime + usage.ru_stime, wall_s


def starts(pairs: int) -> tuple[list[Row], dict[str, Any]]:
    """Return a row for each start, and its wall seconds; one pair before does not count."""
    rows, walls = [], {}
    for name, arguments in _START.items():
        times: tuple[list[float], list[float]] = ([], [])
        wall: list[float] = []
        for pair in range(-1, pairs):
            ours, bare = start(arguments), start(_BARE)
            if pair >= 0:
                times[0].append(ours[0])
                times[1].append(bare[0])
                wall.append(ours[1])
        rows.append(
            row(
                name,
                "a bare Python",
                times,
                items=1,
                unit="starts/CPU s",
                error=0.0,
                limit="imports",
            )
        )
        walls[name] = {
            "cpu_s": round(median(times[0]), 4),
            "cpu_s_range": [round(min(times[0]), 4), round(max(times[0]), 4)],
            "wall_s_least": round(min(wall), 4),
            "limit_s": _LIMITS_S.get(name),
        }
    return rows, walls


def installation() -> dict[str, Any]:
    """Install the wheel into an environment of its own; return seconds, and megabytes by what brings them."""
    with tempfile.TemporaryDirectory(prefix="raysed-install-") as place:
        pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "wheel", "--no-deps", "-w", place, str(_ROOT)], check=True)
        (wheel,) = Path(place).glob("raysed-*.whl")
        subprocess.run([sys.executable, "-m", "venv", f"{place}/venv"], check=True)
        begun = time.perf_counter()
        pins = f"{_ROOT}/constraints.txt"
        own = [f"{place}/venv/bin/python", "-m", "pip", "-q", "--disable-pip-version-check"]
        subprocess.run([*own, "install", "--no-cache-dir", "-c", pins, str(wheel)], check=True)
        seconds = time.perf_counter() - begun
        kilobytes = wheel.stat().st_size // 1000
        return {"seconds": round(seconds, 1), "wheel_kb": kilobytes} | sizes(Path(place, "venv"))


def sizes(environment: Path) -> dict[str, Any]:
    """Return the megabytes of an environment's packages: all, torch, CUDA's (nvidia, triton), the rest."""
    (site,) = environment.glob("lib/python*/site-packages")
    total = _megabytes(site)
    torch = _megabytes(site / "torch")
    cuda = sum(_megabytes(site / name) for name in ("nvidia", "triton", "cuda"))
    return {
        "all_mb": round(total),
        "torch_mb": round(torch),
        "cuda_mb": round(cuda),
        "rest_mb": round(total - torch - cuda),
    }


def _megabytes(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    """Measure, print, and with --store keep the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--wheel", action="store_true", help="install the wheel, too")
    parser.add_argument("--environment", type=Path, help="measure one that is there, instead")
    parser.add_argument("--store", action="store_true")
    given = parser.parse_args()
    idle = idle_share()
    rows, walls = starts(given.pairs)
    more: dict[str, Any] = {"starts": walls, "idle_share_before": round(idle, 3)}
    if given.wheel or given.environment:
        more["installation"] = sizes(given.environment) if given.environment else installation()
    publish(document("install", rows, **more), given.store)


if __name__ == "__main__":
    main()
