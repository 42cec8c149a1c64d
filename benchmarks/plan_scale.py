"""Planning of an annotated set of a million recordings: listing, labels, id and shards; nothing is decoded.

Each number of recordings is planned in a process of its own, whose peak memory is the answer. The files are empty: only
names and sizes are looked at. `python -m benchmarks.plan_scale [--store]`.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import document, publish

COUNTS = (10_000, 100_000, 300_000, 1_000_000)
FOLDER = 1_000
LABELS = ("Cat", "Dog", "Speech")


def write_tree(root: Path, clips: int) -> None:
    """Write empty audio files, a thousand a folder, and a table of two events for each."""
    with (root / "labels.tsv").open("w") as labels:
        labels.write("filename\tonset\toffset\tevent_label\n")
        for n in range(clips):
            folder = root / "audio" / f"{n // FOLDER:05d}"
            if n % FOLDER == 0:
                folder.mkdir(parents=True)
            name = f"Y{n:08d}abc_30.000_40.000.wav"
            (folder / name).touch()
            # Row by row: Linux counts what this process holds when it starts another as that one's peak, too.
            for k in range(2):
                label = LABELS[(n + k) % 3]
                labels.write(f"{n // FOLDER:05d}/{name}\t{k}.5\t{k + 1}.25\t{label}\n")


def plan_once(root: Path) -> dict[str, float]:
    """Plan the set in this process; return seconds, peak memory and what was planned."""
    from raysed.config.annotated_set import AnnotatedSet
    from raysed.config.data_job import DataJob
    from raysed.data.build.dataset_plan import plan

    data_set = AnnotatedSet(
        kind="annotated", audio=str(root / "audio"), labels=str(root / "labels.tsv"), type="strong"
    )
    job = DataJob(
        name="scale",
        out=str(root / "out"),
        classes=LABELS,
        mel="torchaudio",
        sets={"all": data_set},
    )
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    (planned,) = plan(job)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "clips": planned.source.count,
        "shards": len(planned.shards),
        "wall_s": time.perf_counter() - started,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": after.ru_maxrss / 1024,
    }


def main() -> None:
    """Measure every count, print a line for each, and keep them."""
    rows = []
    for clips in COUNTS:
        with tempfile.TemporaryDirectory(prefix="raysed-scale-") as folder:
            write_tree(Path(folder), clips)
            command = [sys.executable, "-m", "benchmarks.plan_scale", "--once", folder]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    publish(document("plan_scale", [], plans=rows), "--store" in sys.argv)


if __name__ == "__main__":
    if "--once" in sys.argv:
        print(json.dumps(plan_once(Path(sys.argv[-1]))))
    else:
        main()
