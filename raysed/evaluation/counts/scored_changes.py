"""Changes of counts at every score that occurs, in the order in which a falling threshold meets them."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from raysed.evaluation.counts.score_changes import FIRST

FLUSH, LOOK, SURE = 1, 2, 4
"""Marks of an entry: the first change of hits at its score; the last change at a score where a rate may be lowest; a false
alarm more that a clip has at every lower score, too."""


@dataclass(frozen=True)
class ScoredChanges:
    """Changes of the counts of hits (slot 0), false alarms (1) and cross-triggers with class j (2 + j).

    Those of class k and post-processing v are the entries start[k * V + v] to start[k * V + v + 1], by falling score,
    hits first where scores are equal. The counts of a class are sums over the entries so far. Between two changes of
    its hits only the lowest rate of false alarms matters, and that is met where a fall of the rate is followed by a
    rise: `LOOK` marks these, whatever the weights of clips are.
    """

    n_variants: int
    """V, how many post-processings there are."""
    start_G: np.ndarray
    """int64 (K * V + 1,)."""
    clip_E: np.ndarray
    """int32."""
    slot_E: np.ndarray
    """int32."""
    change_E: np.ndarray
    """int32."""
    mark_E: np.ndarray
    """uint8, a sum of FLUSH, LOOK and SURE."""
    score_E: np.ndarray
    """The score at which it happens."""
    floor_G: np.ndarray
    """float64: entries below this score were left out; -inf: none were."""

    @classmethod
    def of(
        cls,
        entry_E4: np.ndarray,
        score_E: np.ndarray,
        n_classes: int,
        *,
        variant_E: np.ndarray | None = None,
        n_variants: int = 1,
        floor_G: np.ndarray | None = None,
    ) -> Self:
        """Make the changes from rows of (column, clip, frame, change), as of `score_deltas`, and their scores."""
        owner_E, slot_E = np.divmod(entry_E4[:, 0], n_classes + 2)
        group_E = owner_E * n_variants + (0 if variant_E is None else variant_E)
        order_E = np.lexsort((slot_E, -score_E, group_E))
        group_E, slot_E, score_E = group_E[order_E], slot_E[order_E], score_E[order_E]
        sure_E = entry_E4[order_E, 2] >= FIRST
        change_E = np.ascontiguousarray(entry_E4[order_E, 3])
        n_groups = n_classes * n_variants
        return cls(
            n_variants=n_variants,
            start_G=np.searchsorted(group_E, np.arange(n_groups + 1)).astype(np.int64),
            clip_E=np.ascontiguousarray(entry_E4[order_E, 1]),
            slot_E=slot_E.astype(np.int32),
            change_E=change_E,
            mark_E=_marks(group_E, score_E, slot_E, change_E) + SURE * sure_E.astype(np.uint8),
            score_E=score_E,
            floor_G=np.full(n_groups, -np.inf) if floor_G is None else floor_G,
        )

    @classmethod
    def joined(cls, parts: list[Self], floor_G: np.ndarray) -> Self:
        """Return the changes of several classes, each of which has those of one, in their order; the list is emptied, so that
        no second copy of all is kept.
        """
        n_variants, start_G = parts[0].n_variants, np.sum([part.start_G for part in parts], axis=0)
        names = ("clip_E", "slot_E", "change_E", "mark_E", "score_E")
        columns = {name: [getattr(part, name) for part in parts] for name in names}
        parts.clear()
        found = {name: np.concatenate(columns.pop(name)) for name in names}
        return cls(n_variants=n_variants, start_G=start_G, floor_G=floor_G, **found)

    def rows(self, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows as `of` takes them, (E, 4), and the variant of each (E,)."""
        group_E = np.repeat(np.arange(len(self.floor_G)), np.diff(self.start_G))
        owner_E, variant_E = np.divmod(group_E, self.n_variants)
        first_E = np.where(self.mark_E & SURE, FIRST, 0)
        column_E = owner_E * (n_classes + 2) + self.slot_E
        columns = (column_E, self.clip_E, first_E, self.change_E)
        return np.stack(columns, axis=1).astype(np.int32), variant_E

    def beside(self, other: "ScoredChanges", n_clips: int, n_classes: int) -> "ScoredChanges":
        """Return the changes of both systems, those of the other in clips `n_clips` further on."""
        assert self.n_variants == other.n_variants
        floor_G = np.maximum(self.floor_G, other.floor_G)
        (ours_E4, ours_E), (theirs_E4, theirs_E) = (s.rows(n_classes) for s in (self, other))
        theirs_E4[:, 1] += n_clips
        entry_E4, variant_E = np.concatenate((ours_E4, theirs_E4)), np.append(ours_E, theirs_E)
        score_E = np.append(self.score_E, other.score_E)
        group_E = entry_E4[:, 0] // (n_classes + 2) * self.n_variants + variant_E
        kept_E = score_E >= floor_G[group_E]
        return ScoredChanges.of(
            entry_E4[kept_E],
            score_E[kept_E],
            n_classes,
            variant_E=variant_E[kept_E],
            n_variants=self.n_variants,
            floor_G=floor_G,
        )

    def some(self, kept_N: np.ndarray) -> "ScoredChanges":
        """Return the changes of the clips where `kept_N` is true, which keep their order."""
        kept_E = kept_N[self.clip_E]
        groups = np.arange(len(self.floor_G))
        group_E = np.repeat(groups, np.diff(self.start_G))[kept_E]
        slot_E, change_E, score_E = (
            each[kept_E] for each in (self.slot_E, self.change_E, self.score_E)
        )
        return replace(
            self,
            start_G=np.searchsorted(group_E, np.append(groups, len(groups))).astype(np.int64),
            clip_E=(np.cumsum(kept_N) - 1)[self.clip_E[kept_E]].astype(np.int32),
            slot_E=slot_E,
            change_E=change_E,
            mark_E=_marks(group_E, score_E, slot_E, change_E) + (self.mark_E[kept_E] & SURE),
            score_E=score_E,
        )


def _marks(
    group_E: np.ndarray, score_E: np.ndarray, slot_E: np.ndarray, change_E: np.ndarray
) -> np.ndarray:
    """Return FLUSH and LOOK for entries in order: uint8 (E,)."""
    n_entries = len(group_E)
    mark_E = np.zeros(n_entries, np.uint8)
    if n_entries == 0:
        return mark_E
    new_E = np.append(True, (np.diff(group_E) != 0) | (score_E[1:] != score_E[:-1]))
    first_S = np.flatnonzero(new_E)  # S: the scores of a group, one after the other
    hits_E = slot_E == 0
    hits_S, falls_S, rises_S = (
        np.logical_or.reduceat(of_E, first_S)
        for of_E in (hits_E, ~hits_E & (change_E < 0), ~hits_E & (change_E > 0))
    )
    # Hits stand first among the entries of a score.
    mark_E[first_S[hits_S]] = FLUSH
    last_of_group_S = np.append(group_E[first_S[1:]] != group_E[first_S[:-1]], True)
    next_S = last_of_group_S | np.append(rises_S[1:] | hits_S[1:], True)
    last_S = np.append(first_S[1:], n_entries) - 1
    mark_E[last_S[(hits_S | falls_S) & next_S]] |= LOOK
    return mark_E
