"""A step on a device never waits for it: no copy to it is awaited, and nothing is read from it.

Torch's meta device stands for a GPU here. It computes no values, so what reads one raises; every copy to it is looked at.
"""

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from raysed.config.augmentation import Augmentation
from raysed.config.encoder import EmbeddingFusion
from raysed.config.trial import Consistency, Optimiser, Teacher
from raysed.training import inputs
from raysed.training.batches import BatchSource
from raysed.training.inputs import Normaliser
from raysed.training.mean_teacher import MeanTeacher, step_values
from raysed.training.step_inputs import StepInputs
from tests.training.tiny import sets, trial, with_rows, with_waveforms


class Copies(TorchDispatchMode):
    """The awaited copies from the CPU to the device."""

    def __init__(self):
        super().__init__()
        self.seen, self.awaited = 0, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket is torch.ops.aten._to_copy:
            self.note(args[0], out, (kwargs or {}).get("non_blocking", False))
        elif func.overloadpacket is torch.ops.aten.copy_:
            self.note(args[1], args[0], args[2] if len(args) > 2 else False)
        return out

    def note(self, source, target, aside):
        if source.device.type == "cpu" and target.device.type == "meta":
            self.seen += 1
            if not aside:
                self.awaited.append(tuple(target.shape))


def fused(kind):
    fusion = EmbeddingFusion(fusion=kind, width=3)
    return {"model": trial().model.model_copy(update={"embedding": fusion})}


AUGMENTED = Augmentation(
    time_shift_s=0.05,
    mixup="soft",
    mixup_probability=1.0,
    time_mask=(0.05, 0.2),
    filter_augment="linear",
)
TRIALS = {
    "published": {},
    "a largest gradient": {"optimiser": Optimiser(clip_norm=1.0)},
    "class weights": {"consistency": Consistency(class_weights={"Dog": 2.0})},
    "waveform noise": {"teacher": Teacher(snr_db=20.0, noise_domain="waveform")},
    "augmented": {"augmentation": AUGMENTED},
    "mixed rows": {
        "augmentation": Augmentation(mixup="hard", mixup_probability=1.0),
        **fused("attention"),
    },
    **{f"rows, {kind}": fused(kind) for kind in ("pool", "interpolate", "attention")},
}


def all_sets():
    found = {name: with_rows(with_waveforms(each)) for name, each in sets().items()}
    return found | {"synthetic": replace(found["synthetic"], annotates=("Dog",))}


@pytest.mark.parametrize("change", TRIALS.values(), ids=TRIALS)
def test_a_step_waits_for_nothing(change, monkeypatch):
    # Draws are made on the device, whose generators meta lacks; Adam is fused on a GPU, and reads its CPU counters here.
    monkeypatch.setattr(inputs, "torch_generator", lambda *key, device: None)
    monkeypatch.setattr(torch, "autocast", lambda *given, **more: nullcontext())
    config = trial(**change)
    source = BatchSource(config, all_sets(), seed=1)
    networks = MeanTeacher(config, 2, 1, "meta")
    monkeypatch.setattr(networks.optimiser, "step", lambda: None)
    given = StepInputs(config, source, "meta")
    normaliser = Normaliser.identity(source.sets["weak"].features.n_mels).to("meta")
    batch = next(source.epoch(0))
    given(batch, 0, normaliser)  # tables of the front end are made once in a process
    with Copies() as copies:
        networks.step(*given(batch, 0, normaliser), step_values(config, 0, 4), seed=1)
        networks.update_teacher(0.9)
    assert copies.seen >= 4
    assert copies.awaited == []
