"""Parity with the published implementation: `python -m tests.parity.golden DIR`.

DIR has the form of tests/golden. Only raysed's own model, step, features and decoding are run. The last
line of standard output is one JSON object; exit code 1 if a part fails, 2 if a file is missing.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from raysed.config.data_job import Features
from raysed.config.trial import Model, Schedule, Shares, Trial, TrialData
from raysed.data.clip import Event
from raysed.data.features.mel import log_mel_db_torch, mel_amplitude
from raysed.data.features.store import strong_labels
from raysed.evaluation.detections.postprocess import decode
from raysed.model.crnn import CRNN
from raysed.training.inputs import noise_std
from raysed.training.mean_teacher import TERMS, MeanTeacher, Targets, ramp_up, step_values
from tests.golden import golden_inputs

FILES = (
    "train_expected.json",
    "forward_eval.npz",
    "forward_eval_after_training.npz",
    "features.npz",
    "labels.npz",
    "events.tsv",
    "decoded.tsv",
    "ramps.json",
)
MODEL = Model(dropout=0.0)
FRAME_S = 4 * 255 / 16000
PUBLISHED_NAMES = (
    (r"^blocks\.(\d+)\.conv\.", r"cnn.cnn.conv\1."),
    (r"^blocks\.(\d+)\.norm\.", r"cnn.cnn.batchnorm\1."),
    (r"^blocks\.(\d+)\.glu\.", r"cnn.cnn.glu\1."),
    (r"^gru\.", "rnn.rnn."),
    (r"^strong\.", "dense."),
    (r"^attention\.", "dense_softmax."),
)


def published_name(name: str) -> str:
    for pattern, replacement in PUBLISHED_NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def load_drawn(network: CRNN, seed: int, which: str) -> None:
    """Fill a network with the weights and buffers that the rule draws."""
    network.load_state_dict(
        {
            name: torch.from_numpy(
                np.asarray(
                    golden_inputs.parameter(seed, which, published_name(name), tuple(value.shape))
                )
            ).to(value.dtype)
            for name, value in network.state_dict().items()
        }
    )


def largest(*errors: Any) -> float:
    """The largest magnitude; not a number where any is not (Python's max would hide it)."""
    return float(np.max(np.abs(np.concatenate([np.ravel(error) for error in errors]))))


def forward_error(network: CRNN, seed: int, expected: Any) -> float:
    network.eval()
    dtype = next(network.parameters()).dtype
    with torch.no_grad():
        mel_BTF = torch.from_numpy(golden_inputs.eval_input(seed)).squeeze(1).to(dtype)
        strong_BUK, weak_BK = network(mel_BTF)
    return largest(
        strong_BUK.numpy() - expected["strong_BTK"], weak_BK.numpy() - expected["weak_BK"]
    )


def check_forward(folder: Path, seed: int, dtype: torch.dtype) -> float:
    network = CRNN(MODEL, 10).to(dtype)
    load_drawn(network, seed, "student")
    return forward_error(network, seed, np.load(folder / "forward_eval.npz"))


def check_training(folder: Path, expected: dict[str, Any]) -> dict[str, float]:
    """Every step's losses and schedule, and the state that they leave, in float64."""
    seed, meters = expected["seed"], expected["meters"]
    trial = Trial(
        data=TrialData(synthetic="s", unlabelled="u", weak="w", xvalid=("x",), evaluation=("e",)),
        shares=Shares(synthetic=1, unlabelled=2, weak=1),
        model=MODEL,
        schedule=Schedule(ramp_epochs=expected["rampup_epochs"]),
    )
    networks = MeanTeacher(trial, 10, seed=0)
    networks.student.double()
    networks.teacher.double()
    load_drawn(networks.student, seed, "student")
    load_drawn(networks.teacher, seed, "teacher")
    rows = []
    for n in range(len(meters["lr"])):
        values = step_values(
            trial, expected["epoch"] * expected["steps_per_epoch"] + n, expected["steps_per_epoch"]
        )
        student, teacher, target = (
            torch.from_numpy(a).double() for a in golden_inputs.train_batch(seed, n)
        )
        targets = Targets(target[:1], target[3:].amax(1), trial.shares)
        terms = networks.step(student.squeeze(1), teacher.squeeze(1), targets, values)
        networks.update_teacher(values.ema_decay)
        rows.append((values, dict(zip(TERMS, terms.tolist(), strict=True))))
    weights = [values.consistency_weight for values, _ in rows]
    ours = {
        "weak_class_loss": [terms["weak"] for _, terms in rows],
        "Strong loss": [terms["strong"] for _, terms in rows],
        "Consistency strong": [
            w * terms["consistency_strong"] for w, (_, terms) in zip(weights, rows, strict=True)
        ],
        "Consistency weak": [
            w * terms["consistency_weak"] for w, (_, terms) in zip(weights, rows, strict=True)
        ],
        "Loss": [terms["loss"] for _, terms in rows],
    }
    after = np.load(folder / "forward_eval_after_training.npz")
    return {
        "losses": largest([relative(ours[name], meters[name]) for name in ours]),
        "lr": relative([values.learning_rate for values, _ in rows], meters["lr"]),
        "consistency_weight": relative(np.repeat(weights, 2), meters["Consistency weight"]),
        "state": state_error(networks, expected["final_sum_l2_cosine"]),
        "forward_after_training": forward_error(networks.student, seed, after),
    }


def relative(ours: Any, expected: Any) -> float:
    ours, expected = np.asarray(ours, float), np.asarray(expected, float)
    return largest((ours - expected) / expected)


def state_error(networks: MeanTeacher, expected: dict[str, list[float]]) -> float:
    """Largest error of sum, L2 norm and sum of x_i cos(i) over every parameter and buffer."""
    checked, worst = set(), 0.0
    for which, network in (("student", networks.student), ("teacher", networks.teacher)):
        for name, value in network.state_dict().items():
            key = f"{which}.{published_name(name)}"
            if key not in expected:
                continue
            x = value.double().flatten().numpy()
            got = (x.sum(), np.sqrt((x**2).sum()), (x * np.cos(np.arange(x.size))).sum())
            worst = largest(worst, np.subtract(got, expected[key]))
            checked.add(key)
    missing = set(expected) - checked
    return worst if not missing else float("inf")


def check_features(folder: Path, seed: int) -> dict[str, float]:
    """Decibel errors, those far under the clip's maximum at a tenth (their tolerance is ten times wider)."""
    stored, features = np.load(folder / "features.npz"), Features()
    worst_db, worst_std = 0.0, 0.0
    for index in range(3):
        amplitude_TF = mel_amplitude(golden_inputs.clip(seed, index), features)
        padded_BTF = torch.zeros(1, features.n_frames, features.n_mels)
        padded_BTF[0, : len(amplitude_TF)] = torch.from_numpy(amplitude_TF)
        frames_B = torch.tensor([len(amplitude_TF)])
        ours = log_mel_db_torch(padded_BTF, frames_B, features.floor_db)[0].numpy()
        expected = stored[f"clip{index}.log_mel_db_TF"]
        own = expected[: len(amplitude_TF)]
        near = np.ones(expected.shape, bool)
        near[: len(own)] = own > own.max() - 60
        error = np.abs(ours - expected)
        worst_db = max(
            worst_db, float(error[near].max()), float(error[~near].max(initial=0.0)) / 10
        )
        std = noise_std(padded_BTF, frames_B, 15.0)[0].numpy()
        worst_std = max(worst_std, relative(std, stored[f"clip{index}.teacher_noise_std_snr15_F"]))
    return {"features": worst_db, "noise_std": worst_std}


def check_labels(folder: Path) -> float:
    stored = np.load(folder / "labels.npz")
    classes = tuple(str(name) for name in stored["classes"])
    events = pd.read_csv(folder / "events.tsv", sep="\t")
    wrong = 0
    for index, (_, rows) in enumerate(sorted(events.groupby("filename"), key=lambda item: item[0])):
        clip = tuple(
            Event(onset, offset, label)
            for onset, offset, label in rows[["onset", "offset", "event_label"]].itertuples(
                index=False
            )
        )
        ours = strong_labels(clip, classes, Features(), MODEL.time_pooling)
        wrong += int((ours != stored["strong_NTK"][index]).sum())
    return float(wrong)


def check_decoding(folder: Path) -> float:
    stored = np.load(folder / "labels.npz")
    classes = [str(name) for name in stored["classes"]]
    expected = pd.read_csv(folder / "decoded.tsv", sep="\t")
    worst = 0.0
    for threshold, rows in expected.groupby("threshold"):
        found = decode(
            stored["scores_NTK"],
            threshold=float(threshold),
            median_window=int(stored["median_window"]),
            frame_s=FRAME_S,
            durations_s=np.full(len(stored["scores_NTK"]), 10.0),
        )
        ours = sorted(
            (int(c), classes[k], float(on), float(off))
            for c, k, on, off in zip(
                found.clip_E, found.label_E, found.onset_E, found.offset_E, strict=True
            )
        )
        theirs = sorted(
            rows[["clip", "event_label", "onset", "offset"]].itertuples(index=False, name=None)
        )
        if [row[:2] for row in ours] != [row[:2] for row in theirs]:
            return float("inf")
        times = [(a[2] - b[2], a[3] - b[3]) for a, b in zip(ours, theirs, strict=True)]
        worst = max(worst, float(np.abs(times).max()))
    return worst


def check_ramps(folder: Path) -> float:
    expected = json.loads((folder / "ramps.json").read_text())["exp_rampup"]
    return max(abs(ramp_up(int(step), 50) - value) for step, value in expected.items())


def check_all(folder: Path) -> dict[str, dict[str, Any]]:
    """Every part's error, tolerance and verdict."""
    expected = json.loads((folder / "train_expected.json").read_text())
    seed = expected["seed"]
    errors = {
        "forward": check_forward(folder, seed, torch.float64),
        "forward_float32": check_forward(folder, seed, torch.float32),
        **check_training(folder, expected),
        **check_features(folder, seed),
        "labels": check_labels(folder),
        "decoding": check_decoding(folder),
        "ramps": check_ramps(folder),
    }
    tolerances = {
        "forward": 1e-6,
        "forward_float32": 1e-5,
        "losses": 1e-8,
        "lr": 1e-8,
        "consistency_weight": 1e-8,
        "state": 1e-6,
        "forward_after_training": 1e-6,
        "features": 1e-3,
        "noise_std": 1e-4,
        "labels": 0.0,
        "decoding": 1e-6,
        "ramps": 1e-12,
    }
    return {
        name: {"error": error, "tolerance": tolerances[name], "ok": bool(error <= tolerances[name])}
        for name, error in errors.items()
    }


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    if len(arguments) != 1:
        say("usage: python -m tests.parity.golden DIR")
        return 2
    folder = Path(arguments[0])
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        say(f"{folder}: missing {', '.join(missing)}")
        return 2
    parts = check_all(folder)
    for name, part in parts.items():
        verdict = "ok" if part["ok"] else "FAILED"
        say(f"{name:24s} error {part['error']:.3g}  tolerance {part['tolerance']:.3g}  {verdict}")
    ok = all(part["ok"] for part in parts.values())
    say(json.dumps({"ok": ok, "parts": parts}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
