"""Batches with fixed shares of each subset: [synthetic | other strong sets | unlabelled | weak], in this order.

An epoch is min over subsets of clips // share steps (236 for DESED at [6, 12, 6]); each subset is permuted
afresh every epoch and its remainder dropped. The order is a function of (seed, epoch, subset), so a
resumed epoch needs no stored sampler state.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from raysed.config.trial import STRONG, Trial
from raysed.data.features.store import FeatureSet
from raysed.training.embedding_rows import check_rows
from raysed.training.keys import numpy_generator
from raysed.training.ranks import ALONE, Ranks
from raysed.training.resident import Resident, is_resident, made_resident

_CLIPS_AT_ONCE = 256


def is_strong(subset: str) -> bool:
    """Tell whether a subset, by its name in `Trial.used_subsets`, is trained on with frame labels."""
    return subset == "synthetic" or subset.startswith(STRONG)


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs of a clip of the global batch and a class that its set annotates: what masked means divide by."""

    strong: int
    weak: int
    total: int


FeatureKind = Literal["mel", "waveform", "embedding"]


@dataclass(frozen=True)
class Waveforms:
    """The waveforms that the mels were made from."""

    waveform_BT: Tensor
    """float16, zero after each clip's own samples."""
    samples_B: np.ndarray
    """Each clip's own samples."""


@dataclass(frozen=True)
class Batch:
    """A rank's part of one global batch, or all of it where it is augmented, before log, noise and normalisation."""

    mel_BTF: Tensor
    """Linear mel amplitude in storage precision; already on the device where features are resident."""
    frames_B: np.ndarray
    """Each clip's own frames; the rest is padding."""
    strong_SUK: np.ndarray
    """Targets of the synthetic and other strongly labelled clips, the first S of this part; S may be 0."""
    weak_WK: np.ndarray
    """Targets of the weak clips, the last W of this part; W may be 0."""
    positions_B: np.ndarray
    """Positions of these clips in the global batch."""
    filenames: tuple[str, ...]
    annotated_BK: np.ndarray | None = None
    """The classes that each clip's set labels (bool); None where every set labels all."""
    waveforms: Waveforms | None = None
    """The waveforms; None unless the trial adds its noise to waveforms, or tunes an encoder."""
    rows_BRE: Tensor | None = None
    """The encoder's rows in float16; None unless the network takes them."""

    def labels(self, device: str) -> tuple[Tensor, Tensor]:
        """Return `strong_SUK` and `weak_WK` as float32 on a device."""
        strong_SUK, weak_WK = (
            torch.from_numpy(labels).to(device, non_blocking=True).float()
            for labels in (self.strong_SUK, self.weak_WK)
        )
        return strong_SUK, weak_WK

    def mask(self, device: str) -> Tensor | None:
        """Return `annotated_BK` on a device."""
        known = self.annotated_BK
        return None if known is None else torch.from_numpy(known).to(device, non_blocking=True)


class BatchSource:
    """The training subsets of a trial, their targets, and the batches of every epoch."""

    def __init__(
        self, trial: Trial, sets: dict[str, FeatureSet], seed: int, ranks: Ranks = ALONE
    ) -> None:
        used = trial.used_subsets()
        self.seed, self.ranks = seed, ranks
        self.resident: dict[FeatureKind, dict[str, Resident]] = {}
        """The features that the device holds, by kind (`mel`, `waveform`) and subset."""
        kinds: list[FeatureKind] = ["mel"]
        if trial.reads_waveforms:
            kinds.append("waveform")
        if trial.model.embedding is not None and not trial.tunes_encoder:
            kinds.append("embedding")
        self.kinds = tuple(kinds)
        self._wants_waveforms = (
            "teacher.noise_domain is waveform"
            if trial.noise_on_waveforms
            else "model.embedding.finetune is given"
        )
        self.pinned = False
        """True where batches are made in page-locked memory, which a GPU reads while the CPU goes on."""
        self.parted = not trial.augmentation.is_on
        """False where every rank holds the whole global batch, since a clip may be mixed with one of another rank."""
        if trial.shares.total < ranks.world:
            raise ValueError(
                f"{ranks.world} ranks for batches of {trial.shares.total} clips: use fewer workers"
            )
        self.sets = {subset: sets[name] for subset, name in used.items()}
        self.shares = {subset: trial.shares.of(subset) for subset in used}
        self._check_sets()
        check_rows(trial, self.sets)
        first = next(iter(self.sets.values()))
        frames_out = first.features.n_frames // trial.model.time_pooling
        self.n_classes = len(first.classes)
        self.strong = {
            subset: _checked(each.strong_NTK(trial.model.time_pooling))
            for subset, each in self.sets.items()
            if is_strong(subset)
        }
        """Frame labels of each strongly labelled set."""
        self._no_strong = np.zeros((0, frames_out, self.n_classes), np.uint8)
        self.weak_NK = np.zeros((0, self.n_classes), np.uint8)
        if "weak" in self.sets:
            weak_NK = self.sets["weak"].weak_NK
            assert weak_NK is not None, "checked above"
            self.weak_NK = weak_NK
        self.rows = {subset: each.trained_rows for subset, each in self.sets.items()}
        """The rows of each set that are drawn from."""
        steps = min(len(rows) // self.shares[subset] for subset, rows in self.rows.items())
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
            if "waveform" in self.kinds and feature_set.waveforms is None:
                raise ValueError(
                    f"{self._wants_waveforms}, but {subset} ({feature_set.name}) was built"
                    " without waveforms: set features.waveforms: true in its data job"
                )
            if (clips := len(feature_set.trained_rows)) < self.shares[subset]:
                raise ValueError(
                    f"{subset} ({feature_set.name}) holds {clips} clips, fewer"
                    f" than its share of {self.shares[subset]} in one batch"
                )
            if subset == "weak" and feature_set.weak_NK is None:
                raise ValueError(
                    f"{feature_set.name} is trained on as weak, but has no clip labels"
                )
            if is_strong(subset) and any(events is None for events in feature_set.events):
                raise ValueError(
                    f"{feature_set.name} is trained on as synthetic, but has no events"
                )

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from `first_step` on."""
        indices = {
            subset: self.rows[subset][
                epoch_indices(len(self.rows[subset]), share, self.seed, epoch, subset)
            ]
            for subset, share in self.shares.items()
        }
        for step in range(first_step, self.steps_per_epoch):
            yield self._batch({subset: rows[step] for subset, rows in indices.items()})

    def _batch(self, rows: dict[str, np.ndarray]) -> Batch:
        """Return every world-th clip of the global batch: all ranks hold equally many, give or take one. Where it
        is not `parted`, return all.
        """
        order = [(subset, index) for subset in self.sets for index in rows[subset]]
        first, every = (self.ranks.rank, self.ranks.world) if self.parted else (0, 1)
        positions_B = np.arange(first, len(order), every)
        own = [order[position] for position in positions_B]
        strong = [self.strong[subset][index] for subset, index in own if is_strong(subset)]
        weak = [index for subset, index in own if subset == "weak"]
        return Batch(
            mel_BTF=self._gathered("mel", own),
            frames_B=np.array([self.sets[subset].frames[index] for subset, index in own], np.int32),
            strong_SUK=np.stack(strong) if strong else self._no_strong,
            weak_WK=self.weak_NK[weak],
            positions_B=positions_B,
            filenames=tuple(self.sets[subset].filenames[index] for subset, index in own),
            annotated_BK=self._annotated(own),
            waveforms=self._waveforms(own),
            rows_BRE=self._gathered("embedding", own) if "embedding" in self.kinds else None,
        )

    def _annotated(self, clips: list[tuple[str, int]]) -> np.ndarray | None:
        if all(feature_set.annotates is None for feature_set in self.sets.values()):
            return None
        known = {subset: feature_set.annotated_K for subset, feature_set in self.sets.items()}
        return np.stack([known[subset] for subset, _ in clips])

    @property
    def labelled_pairs(self) -> LabelledPairs | None:
        """Return how many pairs of clip and annotated class the global batch holds; None without masks."""
        if all(feature_set.annotates is None for feature_set in self.sets.values()):
            return None
        pairs = {s: share * int(self.sets[s].annotated_K.sum()) for s, share in self.shares.items()}
        strong = sum(count for subset, count in pairs.items() if is_strong(subset))
        return LabelledPairs(strong=strong, weak=pairs.get("weak", 0), total=sum(pairs.values()))

    def make_resident(self, device: str) -> bool:
        """Hold all features on the device if they take less than 30 % of what is free there, besides those that another
        trial of this process holds.
        """
        needed = 0
        for kind, subset in product(self.kinds, self.sets):
            if not is_resident(self._stored(kind, subset), device):
                shape, dtype = self._layout(kind)
                needed += math.prod(shape) * dtype.itemsize * len(self.sets[subset])
        if device.startswith("cuda") and needed > 0.3 * torch.cuda.mem_get_info(device)[0]:
            return False
        held: dict[FeatureKind, dict[str, Resident]] = {kind: {} for kind in self.kinds}
        for kind, subset in product(self.kinds, self.sets):
            copied = partial(self._whole, kind, subset, device)
            held[kind][subset] = made_resident(self._stored(kind, subset), device, copied)
        self.resident = held
        return True

    def _whole(self, kind: FeatureKind, subset: str, device: str) -> Tensor:
        """Return a subset's features on the device."""
        (shape, dtype), clips = self._layout(kind), len(self.sets[subset])
        held_N = torch.empty((clips, *shape), dtype=dtype, device=device)
        # Copied in pieces, since a whole set would pass through the memory of every process of the node.
        for start in range(0, clips, _CLIPS_AT_ONCE):
            piece = [(subset, n) for n in range(start, min(start + _CLIPS_AT_ONCE, clips))]
            held_N[start : start + len(piece)].copy_(self._gathered(kind, piece))
        return held_N

    def _layout(self, kind: FeatureKind) -> tuple[tuple[int, ...], torch.dtype]:
        """Return the shape and precision of one clip in a batch."""
        first = next(iter(self.sets.values()))
        if kind == "waveform":
            return (first.features.n_samples_seen,), torch.float16
        stored = self._stored(kind, next(iter(self.sets)))[0]
        return stored.shape, torch.from_numpy(np.empty(0, stored.dtype)).dtype

    def _gathered(self, kind: FeatureKind, clips: list[tuple[str, int]]) -> Tensor:
        """Return these clips from the device's memory, or copied from the node's memory map, zero-padded."""
        if self.resident:
            parts = []
            for subset, held in self.resident[kind].items():
                rows = torch.tensor([n for s, n in clips if s == subset], dtype=torch.int64)
                parts.append(held.values_N[rows.to(held.values_N.device, non_blocking=True)])
            return torch.cat(parts)
        shape, dtype = self._layout(kind)
        gathered = torch.empty((len(clips), *shape), dtype=dtype, pin_memory=self.pinned)
        for row, (subset, n) in zip(gathered.numpy(), clips, strict=True):
            stored = self._stored(kind, subset)[n]
            row[: len(stored)] = stored
            row[len(stored) :] = 0
        return gathered

    def _stored(self, kind: FeatureKind, subset: str) -> tuple[np.ndarray, ...]:
        each = self.sets[subset]
        stored = {"mel": each.mels, "waveform": each.waveforms, "embedding": each.embeddings}[kind]
        assert stored is not None, "checked above"
        return stored

    def _waveforms(self, clips: list[tuple[str, int]]) -> Waveforms | None:
        if "waveform" not in self.kinds:
            return None
        samples = [len(self._stored("waveform", subset)[n]) for subset, n in clips]
        return Waveforms(self._gathered("waveform", clips), np.array(samples, np.int64))


def _checked(strong_NUK: np.ndarray | None) -> np.ndarray:
    assert strong_NUK is not None, "checked before"
    return strong_NUK


def epoch_indices(clips: int, share: int, seed: int, epoch: int, subset: str) -> np.ndarray:
    """Return clip indices of one subset, (clips // share, share): a fresh permutation, with the remainder
    dropped.
    """
    order = numpy_generator(seed, "order", subset, epoch).permutation(clips)
    return order[: clips // share * share].reshape(-1, share)
