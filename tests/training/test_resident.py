"""Features on a device: once for all trials of a process, gone with the last one."""

import gc

import numpy as np
import torch

from raysed.training.batches import BatchSource
from raysed.training.resident import is_resident, made_resident
from tests.training.tiny import sets, trial


def test_the_same_map_is_copied_once_and_an_equal_one_is_another():
    stored, equal = (tuple(np.zeros((2, 3)) for _ in range(2)) for _ in range(2))
    copies = []

    def copied():
        copies.append(torch.zeros(2))
        return copies[-1]

    assert not is_resident(stored, "cpu")
    first, again = (made_resident(stored, "cpu", copied) for _ in range(2))
    assert first is again and is_resident(stored, "cpu")
    assert not is_resident(stored, "cuda") and not is_resident(equal, "cpu")
    assert made_resident(equal, "cpu", copied) is not first and len(copies) == 2
    del first, again
    gc.collect()
    assert not is_resident(stored, "cpu")


def test_trials_share_what_the_device_holds_and_read_the_same_batches():
    data = sets()
    alone, one, two = (BatchSource(trial(), data, seed) for seed in (1, 1, 2))
    assert one.make_resident("cpu") and two.make_resident("cpu")
    for subset, held in one.resident["mel"].items():
        assert two.resident["mel"][subset] is held
    for ours, theirs in zip(one.epoch(0), alone.epoch(0), strict=True):
        assert torch.equal(ours.mel_BTF, theirs.mel_BTF)
