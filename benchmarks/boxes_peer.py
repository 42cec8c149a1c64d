"""The grid search of the package sebbs, run by its own Python: `PYTHON boxes_peer.py SET.npz RESULT.json`.

benchmarks.boxes calls it. The package is under the AGPL and works with other versions of numpy and pandas, so it
stays in an environment of its own, and this file imports nothing of raysed.
"""

import itertools
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

SETTINGS = ("step_filter_s", "merge_abs", "merge_rel")


def peak_megabytes() -> float:
    """Return the largest memory of this process; getrusage would tell that of its parent, if larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(given: str, result: str) -> None:
    """Tune on the set, class by class, and write what was chosen and what it took."""
    from sebbs import csebbs  # pyrefly: ignore
    from sed_scores_eval.base_modules.scores import create_score_dataframe  # pyrefly: ignore

    stored = np.load(given)
    names, classes = stored["names"].tolist(), stored["classes"].tolist()
    grid = json.loads(str(stored["grid"]))
    scores = {
        name: create_score_dataframe(score_TK, stored["edge_T1"], classes)
        for name, score_TK in zip(names, stored["scores_NTK"], strict=True)
    }
    truth: dict[str, list[tuple[float, float, str]]] = {name: [] for name in names}
    for n, k, onset, offset in zip(*(stored[f"truth{i}"].tolist() for i in range(4)), strict=True):
        truth[names[int(n)]].append((onset, offset, classes[int(k)]))
    durations = dict(zip(names, stored["durations_s"].tolist(), strict=True))
    tried, predict_s = [], dict.fromkeys(grid["step_filter_s"], 0.0)
    for length, merge_abs, merge_rel in itertools.product(*(grid[name] for name in SETTINGS)):
        started = time.process_time()
        predictor = csebbs.CSEBBsPredictor(length, merge_abs, merge_rel, sound_classes=classes)
        tried.append((predictor, predictor.predict(scores)))
        predict_s[length] += time.process_time() - started
    started = time.process_time()
    predictor, values = csebbs.select_best_psds(
        tried, truth, durations, num_jobs=1,
        dtc_threshold=0.7, gtc_threshold=0.7, cttc_threshold=None, alpha_ct=0.0,
    )  # fmt: skip
    select_s = time.process_time() - started
    each_s = sum(predict_s.values()) / len(tried)
    found = {
        "predict_s": sum(predict_s.values()),
        "select_s": select_s,
        "shared_s": each_s * len(grid["step_filter_s"]) + select_s,
        "peak_MB": peak_megabytes(),
        "values": {label: float(values[label]) for label in classes},
        "step_filter_s": predictor.step_filter_length,
        "merge_abs": predictor.merge_threshold_abs,
        "merge_rel": predictor.merge_threshold_rel,
        "versions": {
            name: version(name) for name in ("sebbs", "numpy", "pandas", "sed_scores_eval_np2")
        },
    }
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
