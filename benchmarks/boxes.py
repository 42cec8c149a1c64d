"""Tuning bounding boxes class by class for PSDS1: the whole grid of 27 settings on 1168 clips, against sebbs.

`python -m benchmarks.boxes --python SEBBS/bin/python`, where that Python's environment holds `pip install
sebbs==1.0.2 'pandas<3'` (AGPL, hence its own). Both sides get the same made-up scores, on one core in turns, and must
choose the same settings with the same values. The package's own `tune` hands no boxes to its selection
in this version, so it is called as its parts: `predict` for each setting, then `select_best_psds`. A second
row counts its change detection once for each step filter, as if merging cost it nothing.
"""

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.boxes_peer import peak_megabytes
from benchmarks.boxes_set import made_up_set
from benchmarks.common import document, one_core, publish, row
from raysed.evaluation.detections.bounding_boxes import BoxSettings
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.metrics.psds import DEFINITIONS
from raysed.evaluation.postprocessing.class_curves import box_curves
from raysed.evaluation.postprocessing.methods import (
    BOX_GRID,
    MERGES_ABS,
    MERGES_REL,
    STEP_FILTERS_S,
)

PEER = Path(__file__).with_name("boxes_peer.py")


def tune(reference: Reference, scores: FrameScores) -> tuple[list[BoxSettings], np.ndarray]:
    """Return the best setting of each class, the first of equals, and its area."""
    kept_N = np.ones(len(reference.filenames), bool)
    curves = box_curves(reference, scores, BOX_GRID, DEFINITIONS["psds1"])
    area_SK = np.stack([each.areas(kept_N) for each in curves])
    return [BOX_GRID[s] for s in area_SK.argmax(axis=0)], area_SK.max(axis=0)


def write_set(path: Path, reference: Reference, scores: FrameScores) -> None:
    """Write the set as the peer reads it, without pickle."""
    columns = (vars(reference.events)[f"{name}_E"] for name in ("clip", "label", "onset", "offset"))
    grid = {"step_filter_s": STEP_FILTERS_S, "merge_abs": MERGES_ABS, "merge_rel": MERGES_REL}
    np.savez(
        path,
        names=np.array(reference.filenames),
        classes=np.array(reference.classes),
        scores_NTK=scores.scores_NTK,
        edge_T1=scores.edges_NT1[0],
        durations_s=reference.durations_s,
        grid=np.array(json.dumps(grid)),
        **{f"truth{i}": column for i, column in enumerate(columns)},
    )


def theirs(python: Path, given: Path) -> dict[str, Any]:
    """Return what the peer wrote."""
    result = given.with_suffix(".json")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    subprocess.run([python, PEER, given, result], check=True, capture_output=True, env=environment)
    return json.loads(result.read_text())


def main(
    python: Annotated[Path, typer.Option(help="The Python of an environment that holds sebbs.")],
    clips: int = 1168,
    pairs: int = 1,
    store: bool = False,
) -> None:
    """Compare time, memory, values and choices."""
    one_core()
    reference, scores = made_up_set(clips)
    tune(*made_up_set(10))  # compiled once, kept on the disk from then on
    seconds: dict[str, list[float]] = {"ours": [], "parts": [], "shared": []}
    errors, differing, peer = [], 0, {}
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "set.npz")
        write_set(given, reference, scores)
        for _ in range(pairs):
            started = time.process_time()
            settings, area_K = tune(reference, scores)
            seconds["ours"].append(time.process_time() - started)
            peer = theirs(python, given)
            seconds["parts"].append(peer["predict_s"] + peer["select_s"])
            seconds["shared"].append(peer["shared_s"])
            errors.append(
                max(
                    abs(area_K[k] - peer["values"][label])
                    for k, label in enumerate(reference.classes)
                )
            )
            differing += sum(
                tuple(peer[name][label] for name in BoxSettings._fields) != settings[k]
                for k, label in enumerate(reference.classes)
            )
    names = {"parts": "predict and select", "shared": "its change detection once a step filter"}
    rows = [
        row(
            f"27 box settings, class by class, PSDS1, {clips} clips",
            f"sebbs {peer['versions']['sebbs']}: {what}",
            (seconds["ours"], seconds[name]),
            items=27 * clips,
            unit="clips x settings/s",
            error=max(errors),
            limit="judging boxes, change detection",
        )
        for name, what in names.items()
    ]
    about = {
        "peer": peer["versions"],
        "seconds": seconds,
        "choices_that_differ": differing,
        "peak_MB": {"ours": round(peak_megabytes()), "sebbs": round(peer["peak_MB"])},
    }
    publish(document("boxes", rows, **about), store)


if __name__ == "__main__":
    typer.run(main)
