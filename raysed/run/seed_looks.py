"""`looks.json`: what a run whose seeds grow has decided after each round, and where its next seeds go.

A look is made when every trial of its round is finished or has failed for good, from stored statistics alone, and is written
whole. So whoever goes on with a run after it was killed finds the look, or makes the same one.
"""

from typing import Literal

from raysed.config.space import ResolvedSpace
from raysed.run.folders import LOOKS
from raysed.run.stored_file import Stored, read_stored
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json

QuestionState = Literal["decided", "open", "hopeless", "not needed", "failed"]


class LookedDifference(Stored):
    """A difference of two cells at its last look so far; fractions."""

    cell: str
    against: str
    seeds: int
    """The number of seeds."""
    seed_numbers: tuple[int, ...] = ()
    """The seeds themselves; empty in looks of earlier code, which had the first ones."""
    difference: float
    low: float
    high: float
    """The ends of the interval that all differences and looks share."""
    alone_low: float
    alone_high: float
    """The ends of its own 95 % interval, over other clips and seeds."""


class LookedFamily(Stored):
    """The differences on one evaluation set in one metric."""

    evaluation: str
    metric: str
    critical: float
    """The normal critical value of this look."""
    differences: tuple[LookedDifference, ...]


class LookedQuestion(Stored):
    """One comparison of a claim, or a contrast, in one metric on one evaluation set."""

    claim: str
    """Empty for a contrast."""
    cell: str
    against: str
    evaluation: str
    metric: str
    expect: str
    margin: float
    answer: str
    """yes, no or open."""
    state: QuestionState
    """`hopeless`: more seeds would hardly answer it; `not needed`: its claim is answered without it; `failed`: its cells have
    no finished seed in common."""
    chance: float | None = None
    """The probability that the last look answers it, where it is not answered."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The question itself, whatever is known of it."""
        return self.claim, self.cell, self.against, self.evaluation, self.metric, self.expect


class Look(Stored):
    """The knowledge after one round."""

    seeds: int
    """The largest number of seeds of a cell."""
    spent: float
    """The error that the looks up to this one may make."""
    families: tuple[LookedFamily, ...]
    questions: tuple[LookedQuestion, ...]
    further: tuple[str, ...]
    """The trainings that get the seeds of the next round."""
    failed: tuple[str, ...] = ()
    """The trials that it was made without, since they had failed for good."""


class SeedLooks(Stored):
    """The content of `looks.json`."""

    planned: tuple[int, ...]
    """The number of seeds behind each look."""
    done: tuple[Look, ...] = ()

    @property
    def over(self) -> bool:
        """Tell whether no further round comes."""
        return bool(self.done) and not self.done[-1].further

    def seeds_of(self, training: str) -> int:
        """Return how many seeds a training has after the rounds that are decided on."""
        rounds = 1
        while rounds <= len(self.done) and training in self.done[rounds - 1].further:
            rounds += 1
        return self.planned[rounds - 1]

    def write(self, run: Folder) -> None:
        """Write it to the run's folder."""
        write_json(run, LOOKS, self.model_dump(mode="json"))


def read_looks(run: Folder, planned: tuple[int, ...]) -> SeedLooks:
    """Read the looks of a run; none yet where there is no file.

    Raises ValueError for looks at other numbers of seeds, since the error that is spent would be another one.
    """
    stored = read_stored(run, LOOKS, SeedLooks)
    if stored is None:
        return SeedLooks(planned=planned)
    if stored.planned != planned:
        raise ValueError(
            f"{run.url}/{LOOKS} holds looks of a run with {_listed(stored.planned)}, and the space now has"
            f" {_listed(planned)}: what was seen cannot be unseen, and its error is spent. Give `seeds` as they were, or"
            " another folder with --run"
        )
    return stored


def _listed(planned: tuple[int, ...]) -> str:
    return f"looks after {', '.join(map(str, planned))} seeds" if planned else "listed seeds"


def seeds_of_trainings(resolved: ResolvedSpace, run: Folder) -> dict[str, tuple[int, ...]]:
    """Return the seeds that every training of a space has in this folder, as far as they are decided on."""
    seeds, looks = resolved.space.all_seeds, read_looks(run, resolved.space.looks)
    if not looks.planned:
        return {training.id: seeds for training in resolved.trainings}
    return {t.id: seeds[: looks.seeds_of(t.id)] for t in resolved.trainings}
