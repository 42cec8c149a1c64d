"""Batches with fixed shares of each subset: [synthetic | unlabelled | weak], in this order.

An epoch is min over subsets of clips // share steps (236 for DESED at [6, 12, 6]); each subset is permuted
afresh every epoch and its remainder dropped. The order is a function of (seed, epoch, subset), so a
resumed epoch needs no stored sampler state.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from raysed.config.trial import SUBSETS, Trial
from raysed.data.store import FeatureSet
from raysed.training.keys import numpy_generator
from raysed.training.ranks import ALONE, Ranks

_CLIPS_AT_ONCE = 256


@dataclass(frozen=True)
class Batch:
    """A rank's part of one global batch, before log, noise and normalisation."""

    mel_BTF: Tensor
    """Linear mel amplitude in storage precision; on the device already where features are resident."""
    frames_B: np.ndarray
    """Each clip's own frames; the rest is padding."""
    strong_SUK: np.ndarray
    """Targets of the synthetic clips, the first S of this part; S may be 0."""
    weak_WK: np.ndarray
    """Targets of the weak clips, the last W of this part; W may be 0."""
    positions_B: np.ndarray
    """Where these clips stand in the global batch."""
    filenames: tuple[str, ...]


class BatchSource:
    """The training subsets of a trial, their targets, and the batches of every epoch."""

    def __init__(
        self, trial: Trial, sets: dict[str, FeatureSet], seed: int, ranks: Ranks = ALONE
    ) -> None:
        used = trial.used_subsets()
        self.seed, self.ranks = seed, ranks
        self.resident: dict[str, Tensor] = {}
        if trial.shares.total < ranks.world:
            raise ValueError(
                f"{ranks.world} ranks for batches of {trial.shares.total} clips: use fewer workers"
            )
        self.sets = {subset: sets[name] for subset, name in used.items()}
        self.shares = {subset: getattr(trial.shares, subset) for subset in used}
        self._check_sets()
        first = next(iter(self.sets.values()))
        frames_out = first.features.n_frames // trial.model.time_pooling
        self.n_classes = len(first.classes)
        self.strong_NUK = np.zeros((0, frames_out, self.n_classes), np.uint8)
        self.weak_NK = np.zeros((0, self.n_classes), np.uint8)
        if "synthetic" in self.sets:
            strong_NUK = self.sets["synthetic"].strong_NTK(trial.model.time_pooling)
            assert strong_NUK is not None, "checked above"
            self.strong_NUK = strong_NUK
        if "weak" in self.sets:
            weak_NK = self.sets["weak"].weak_NK
            assert weak_NK is not None, "checked above"
            self.weak_NK = weak_NK
        steps = min(len(s.filenames) // self.shares[subset] for subset, s in self.sets.items())
        self.steps_per_epoch = min(steps, trial.schedule.steps_per_epoch or steps)

    def _check_sets(self) -> None:
        first_subset, first = next(iter(self.sets.items()))
        for subset, feature_set in self.sets.items():
            if feature_set.classes != first.classes:
                raise ValueError(
                    f"class lists differ: {first_subset} ({first.name}) has {list(first.classes)},"
                    f" {subset} ({feature_set.name}) has {list(feature_set.classes)}"
                )
            if feature_set.features != first.features:
                raise ValueError(
                    f"features differ: {first_subset} ({first.name}) has {first.features},"
                    f" {subset} ({feature_set.name}) has {feature_set.features}"
                )
            if len(feature_set.filenames) < self.shares[subset]:
                raise ValueError(
                    f"{subset} ({feature_set.name}) holds {len(feature_set.filenames)} clips, fewer"
                    f" than its share of {self.shares[subset]} in one batch"
                )
            if subset == "weak" and feature_set.weak_NK is None:
                raise ValueError(
                    f"{feature_set.name} is trained on as weak, but has no clip labels"
                )
            if subset == "synthetic" and any(events is None for events in feature_set.events):
                raise ValueError(
                    f"{feature_set.name} is trained on as synthetic, but has no events"
                )

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, from `first_step` on."""
        indices = {
            subset: epoch_indices(len(self.sets[subset].filenames), share, self.seed, epoch, subset)
            for subset, share in self.shares.items()
        }
        for step in range(first_step, self.steps_per_epoch):
            yield self._batch({subset: rows[step] for subset, rows in indices.items()})

    def _batch(self, rows: dict[str, np.ndarray]) -> Batch:
        """Every world-th clip of the global batch: all ranks hold equally many, give or take one."""
        order = [(subset, index) for subset in SUBSETS if subset in rows for index in rows[subset]]
        positions_B = np.arange(self.ranks.rank, len(order), self.ranks.world)
        own = [order[position] for position in positions_B]
        synthetic = [index for subset, index in own if subset == "synthetic"]
        weak = [index for subset, index in own if subset == "weak"]
        return Batch(
            mel_BTF=self._mels(own),
            frames_B=np.array([self.sets[subset].frames[index] for subset, index in own], np.int32),
            strong_SUK=self.strong_NUK[synthetic],
            weak_WK=self.weak_NK[weak],
            positions_B=positions_B,
            filenames=tuple(self.sets[subset].filenames[index] for subset, index in own),
        )

    def make_resident(self, device: str) -> bool:
        """Hold all features on the device if they take less than 30 % of what is free there."""
        needed = sum(len(s) * s.mels[0].nbytes for s in self.sets.values())
        if device.startswith("cuda") and needed > 0.3 * torch.cuda.mem_get_info(device)[0]:
            return False
        for subset, feature_set in self.sets.items():
            like = torch.from_numpy(feature_set.mel([0]))
            held_NTF = torch.empty(
                (len(feature_set), *like.shape[1:]), dtype=like.dtype, device=device
            )
            # In pieces: a whole set would pass through the memory of every process of the node.
            for start in range(0, len(feature_set), _CLIPS_AT_ONCE):
                rows = range(start, min(start + _CLIPS_AT_ONCE, len(feature_set)))
                held_NTF[rows.start : rows.stop].copy_(torch.from_numpy(feature_set.mel(rows)))
            self.resident[subset] = held_NTF
        return True

    def _mels(self, own: list[tuple[str, int]]) -> Tensor:
        """Gathered from the device's memory, or from the node's memory map."""
        if not self.resident:
            return torch.from_numpy(np.stack([self.sets[subset].mels[i] for subset, i in own]))
        parts = []
        for subset, mels_NTF in self.resident.items():
            rows = torch.tensor([i for s, i in own if s == subset], dtype=torch.int64)
            parts.append(mels_NTF[rows.to(mels_NTF.device, non_blocking=True)])
        return torch.cat(parts)


def epoch_indices(clips: int, share: int, seed: int, epoch: int, subset: str) -> np.ndarray:
    """Clip indices of one subset, (clips // share, share): a fresh permutation, the remainder dropped."""
    order = numpy_generator(seed, "order", subset, epoch).permutation(clips)
    return order[: clips // share * share].reshape(-1, share)
