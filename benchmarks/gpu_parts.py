"""The checks of `make gpu-check`. Each takes the device and returns what it found; "cpu" takes the same path.

On a GPU the networks are of full size; on the CPU small ones show that the code runs.
"""

import contextlib
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import yaml
from torch.nn.parallel import DistributedDataParallel

from benchmarks.loader import features_of
from benchmarks.team import Step, Team, free_port
from benchmarks.train_step import VALUES, inputs, trial_of
from raysed.config.augmentation import Augmentation
from raysed.config.data_job import Features
from raysed.config.trial import Model, Schedule, Shares, Teacher, Trial
from raysed.data.features.mel import mel_amplitude
from raysed.data.features.store import FeatureSet
from raysed.model.network import make_network
from raysed.model.sync_norm import synchronise_norms
from raysed.storage.folder import Folder
from raysed.training.keys import torch_generator
from raysed.training.mean_teacher import MeanTeacher, Targets
from raysed.training.ranks import ALONE
from raysed.training.trainer import Trainer

Check = dict[str, Any]
"""The result of a check: `ok`, and the numbers."""
SHARES = Shares(synthetic=2, unlabelled=4, weak=2)
AUGMENTED = Augmentation(time_shift_s=0.1, mixup="soft", filter_augment="step")
STEPS = 10
TOLERANCE = 1e-3
"""Tolerance of the losses of STEPS steps in float32, between devices that round differently."""


def within(error: float, tolerance: float, **more: Any) -> Check:
    """Return a check that passes where the error is at most the tolerance."""
    return {"error": error, "tolerance": tolerance, **more, "ok": bool(error <= tolerance)}


def model_for(device: str, **change: Any) -> Model:
    """Return the published model on a GPU, a small one on the CPU."""
    small: dict[str, Any] = {} if device == "cuda" else {"filters": (4,) * 7, "gru_units": 8}
    return Model(**(small | change))


def small_sets() -> dict[str, FeatureSet]:
    """Return features of noise, enough for a few steps of the full-size model."""
    return {
        "s": features_of("s", 24, strong=True, weak=True),
        "u": features_of("u", 48, strong=False, weak=False),
        "w": features_of("w", 24, strong=False, weak=True),
    }


def trainer_of(trial: Trial, device: str, *, resident: bool) -> Trainer:
    """Return a trainer at its first step, with its features on the device or copied batch by batch."""
    nowhere = Folder("/nonexistent")
    trainer = Trainer(trial, small_sets(), nowhere, seed=0, device=device, ranks=ALONE)
    trainer.resume()
    trainer.source.resident, trainer.source.pinned = {}, device == "cuda"
    if resident:
        trainer.source.make_resident(device)
    return trainer


def epoch_losses(device: str, model: Model, *, resident: bool) -> torch.Tensor:
    """Return the losses (STEPS, 5) of an epoch without random draws, which differ between devices."""
    schedule = Schedule(epochs=1, steps_per_epoch=STEPS)
    teacher = Teacher(snr_db=None)
    trial = trial_of(SHARES, model=model, teacher=teacher, schedule=schedule, precision="float32")
    trainer = trainer_of(trial, device, resident=resident)
    trainer._train_epoch(math.inf)
    return trainer.losses_L5.cpu()


def relative(found_L5: torch.Tensor, expected_L5: torch.Tensor) -> float:
    """Return the largest difference of any term, relative to the loss of its step, since a term alone may be
    0.
    """
    return float(((found_L5 - expected_L5).abs() / expected_L5[:, :1]).max())


def forward_parity(device: str) -> Check:
    """Compare scores of the model on the device with the CPU, float32."""
    config = model_for(device, glu_std=0.3)
    model = make_network(config, 10, torch_generator(0)).eval()
    mel_BTF = torch.randn(4, 628, 128, generator=torch_generator(1))
    torch.backends.cudnn.allow_tf32 = False
    with torch.no_grad():
        expected = model(mel_BTF)
        found = model.to(device)(mel_BTF.to(device))
    errors = [(a - b.cpu()).abs().max().item() for a, b in zip(expected, found, strict=True)]
    return within(max(errors), 1e-4)


def training_parity(device: str) -> Check:
    """Compare the losses of STEPS steps without dropout and noise, float32 (TF32 off), on the device with the
    CPU.
    """
    model = model_for(device, dropout=0.0)
    found = epoch_losses(device, model, resident=True)
    expected = epoch_losses("cpu", model, resident=True)
    return within(relative(found, expected), TOLERANCE, loss=found[-1, 0].item())


def features_copied(device: str) -> Check:
    """Check features that the device does not hold: page-locked batches, losses of resident ones."""
    model = model_for(device, dropout=0.0)
    copied, resident = (epoch_losses(device, model, resident=r) for r in (False, True))
    source = trainer_of(trial_of(SHARES, model=model), device, resident=False).source
    pinned = device != "cuda" or next(source.epoch(0)).mel_BTF.is_pinned()
    tolerance = TOLERANCE if device == "cuda" else 0.0
    check = within(relative(copied, resident), tolerance, pinned=pinned)
    return {**check, "ok": check["ok"] and pinned}


def mel_parity(device: str) -> Check:
    """Compare DALI with the CPU definition, in decibels, within 60 dB of the clip's maximum."""
    try:
        from raysed.data.features.mel_dali import DaliMel
    except ImportError as error:
        return {"skipped": f"DALI is not installed ({error})", "ok": True}
    features = Features()
    waveforms = [
        np.random.default_rng(n).standard_normal(160_000).astype(np.float32) / 10 for n in range(8)
    ]
    dali = DaliMel(features, device_id=0 if device == "cuda" else None, batch=8)
    worst = 0.0
    for ours, waveform in zip(dali(waveforms), waveforms, strict=True):
        expected = mel_amplitude(waveform, features)
        near = expected > expected.max() * 1e-3
        worst = max(worst, float(np.abs(20 * np.log10(ours[near] / expected[near])).max()))
    return within(worst, 1e-3)


def trial_runs(device: str, precision: str) -> Check:
    """Check a trial of two epochs, stopped after the first and resumed: finite losses, as undisturbed."""
    from raysed.training.train import train  # TensorBoard is not everywhere

    if precision in ("float16", "tf32") and device == "cpu":
        return {"skipped": f"{precision} needs a GPU", "ok": True}
    schedule = Schedule(epochs=2, steps_per_epoch=2)
    trial = trial_of(Shares(), model=model_for(device), precision=precision, schedule=schedule)
    sets, told = small_sets(), []

    def stop(metrics: dict[str, Any]) -> None:
        raise InterruptedError

    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as cut:
        train(trial, sets, Folder(whole), seed=0, device=device, report=told.append)
        with contextlib.suppress(InterruptedError):
            train(trial, sets, Folder(cut), seed=0, device=device, report=stop)
        train(trial, sets, Folder(cut), seed=0, device=device, report=told.append)
    losses = [metrics["loss"] for metrics in told]
    if not np.isfinite(losses).all():
        return {"losses": losses, "ok": False}
    return within(abs(losses[-1] / losses[1] - 1), 0.0 if device == "cpu" else TOLERANCE)


def no_synchronisation(device: str) -> Check:
    """Take whole training steps, teacher noise included, while torch raises if the host waits for the GPU.

    float16 is left out, since its loss scale is read on the host. The check of losses every 50 steps waits on
    purpose.
    """
    done = []
    changes: dict[str, Any] = {p: {"precision": p} for p in ("auto", "float32", "bfloat16")}
    for name, change in (changes | {"augmented": {"augmentation": AUGMENTED}}).items():
        for resident in (True, False):
            schedule = Schedule(epochs=2, steps_per_epoch=4)
            trial = trial_of(SHARES, model=model_for(device), schedule=schedule, **change)
            trainer = trainer_of(trial, device, resident=resident)
            trainer._check_losses = lambda: None
            trainer._train_epoch(math.inf)
            trainer.epoch, trainer.step_in_epoch = 1, 0
            with _waiting_refused(device):
                trainer._train_epoch(math.inf)
            done.append(f"{name}, {'resident' if resident else 'copied'}")
    return {"without waiting": done, "guarded": device == "cuda", "ok": True}


@contextlib.contextmanager
def _waiting_refused(device: str) -> Iterator[None]:
    if device != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def group_of_one(device: str) -> Check:
    """Compare NCCL (gloo on the CPU), DDP and synchronised statistics in a group of one rank with no group."""
    trial = trial_of(SHARES, model=model_for(device, dropout=0.0))
    student, teacher, targets = inputs(SHARES)
    targets = Targets(targets.strong_SUK.to(device), targets.weak_WK.to(device), SHARES)
    batch = (student.to(device), teacher.to(device), targets)
    torch.backends.cudnn.allow_tf32 = False
    gpu = device == "cuda"
    dist.init_process_group(
        "nccl" if gpu else "gloo",
        init_method=f"tcp://127.0.0.1:{free_port()}",
        rank=0,
        world_size=1,
        device_id=torch.device("cuda", 0) if gpu else None,
    )
    losses = []
    for grouped in (False, True):
        networks = MeanTeacher(trial, 10, 0, device)
        if grouped:
            synchronise_norms(networks.student, device)
            synchronise_norms(networks.teacher, device)
            networks._forward = DistributedDataParallel(networks.student, broadcast_buffers=False)
        terms = [networks.step(*batch, VALUES) for _ in range(3)]
        dist.all_reduce(terms[-1])
        losses.append(torch.stack(terms).cpu())
    backend = dist.get_backend()
    # DDP lets go of the group first: as its last holder it would wait for gloo's thread, which may wait for Python.
    del networks
    dist.destroy_process_group()
    return within(relative(losses[1], losses[0]), TOLERANCE, backend=backend)


def two_ranks(device: str) -> Check:
    """Compare the losses of three steps of two ranks with one: a GPU each by NCCL, or one for both by gloo."""
    gpus = torch.cuda.device_count() if device == "cuda" else 0
    pair = {0: ("cpu", "cpu"), 1: ("cuda:0", "cuda:0")}.get(gpus, ("cuda:0", "cuda:1"))
    trial = trial_of(SHARES, model=model_for(device, dropout=0.0))
    found = []
    for devices in (pair[:1], pair):
        with Team(trial, devices, nccl=gpus > 1 and len(devices) > 1) as team:
            found.append(torch.tensor([team(Step())[0].losses for _ in range(3)]))
    backend = "nccl" if gpus > 1 else "gloo"
    return within(relative(found[1], found[0]), TOLERANCE, devices=pair, backend=backend)


def tune(device: str) -> Check:
    """Run `python -m raysed.tune` from audio to a table: two trials, half a GPU each."""
    with tempfile.TemporaryDirectory() as folder:
        space = _tiny_space(Path(folder), gpus=0.5 if device == "cuda" else 0.0)
        command = [sys.executable, "-m", "raysed.tune", str(space)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        finished = len(list(Path(folder, "run", "trials").glob("*/result.json")))
    check = {"exit_code": done.returncode, "finished": finished}
    if (done.returncode, finished) == (0, 2):
        return {**check, "ok": True}
    return {**check, "ok": False, "said": done.stderr.splitlines()[-5:]}


def _tiny_space(root: Path, gpus: float) -> Path:
    from raysed.demo.procedural import DemoSizes, demo_roots, write_demo_tree  # nor soundfile

    sizes = DemoSizes(foregrounds=(3, 2), weak=8, unlabelled=8, validation=6)
    write_demo_tree(root / "tree", sizes=sizes)
    job = {
        "name": "tiny",
        "out": str(root / "data"),
        "roots": demo_roots(root / "tree").model_dump(exclude_none=True),
        "features": {"duration_s": 5.0, "n_mels": 16, "hop": 510},
        "sets": {
            "synthetic": {"kind": "synthetic", "split": "train", "count": 16},
            "xvalid": {"kind": "synthetic", "split": "xvalid", "count": 10},
            **{
                subset: {"kind": "recorded", "subset": subset}
                for subset in ("weak", "unlabelled", "validation")
            },
        },
    }
    subsets = {subset: subset for subset in ("synthetic", "unlabelled", "weak")}
    space = {
        "name": "tiny",
        "data_job": str(root / "job.yaml"),
        "run": str(root / "run"),
        "seeds": [0, 1],
        "resources": {"gpus_per_worker": gpus},
        "base": {
            "data": {**subsets, "evaluation": ["validation"]},
            "shares": dict.fromkeys(subsets, 2),
            "model": {"filters": [4, 4], "pooling": [[2, 4], [2, 4]], "gru_units": 4},
            "schedule": {"epochs": 1, "steps_per_epoch": 2},
        },
        "cells": [{"id": "all", "table": "1", "column": "all", "xvalid": "xvalid"}],
        "bootstrap_draws": 100,
    }
    for name, content in (("job", job), ("space", space)):
        (root / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return root / "space.yaml"
