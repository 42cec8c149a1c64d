"""Contrasts, claims and changes that speak of cells or sets that a space does not have."""

from typing import TYPE_CHECKING

from raysed.config.fault import Fault, KeyPath
from raysed.config.table import Comparison, Contrast
from raysed.config.trial import Trial

if TYPE_CHECKING:
    from raysed.config.space import Space


def unknown_cells(space: "Space", trials: list[Trial]) -> list[Fault]:
    """List contrasts, claims and changes of cells that do not exist, and claims about sets that no cell is
    evaluated on.
    """
    trained = [cell for cell in space.cells if not cell.predictions]
    faults = [*_wrong_comparisons(space), *_wrong_changes(space)]
    baseline = space.energy_baseline
    if baseline is not None and baseline not in {cell.id for cell in trained}:
        faults.append(
            Fault(
                ("energy_baseline",),
                f"energy_baseline: no cell that is trained has the id {baseline}",
            )
        )
    if len(trials) < len(trained):
        return faults  # the sets that other cells are evaluated on are not known
    known = {name for cell in space.cells for name in (*cell.published, *cell.predictions)}
    known |= {name for trial in trials for name in trial.data.evaluation}
    return faults + [
        Fault(
            ("claims", i),
            f"claim {claim.id}: evaluation {evaluation} is no set that a cell is evaluated on or has"
            f" published values of ({', '.join(sorted(known))})",
        )
        for i, claim in enumerate(space.claims)
        for evaluation in claim.evaluations
        if evaluation not in known
    ]


def _wrong_comparisons(space: "Space") -> list[Fault]:
    """List contrasts and claims of cells that do not exist, then those of a cell with itself."""
    ids = {cell.id for cell in space.cells}
    named = _compared(space)
    return [
        Fault(key, f"{where}: no cell has the id {cell}")
        for key, where, pair in named
        for cell in (pair.cell, pair.against)
        if cell not in ids
    ] + [
        Fault(key, f"{where}: {pair.cell} is compared with itself")
        for key, where, pair in named
        if pair.cell == pair.against
    ]


def _wrong_changes(space: "Space") -> list[Fault]:
    """List changes of cells that do not exist, then those of cells that nothing changes."""
    ids = {cell.id for cell in space.cells}
    return [
        Fault(("change", cell), f"change: no cell has the id {cell}")
        for cell in space.change
        if cell not in ids
    ] + [
        Fault(
            ("change", cell.id), f"change: cell {cell.id} holds predictions, which nothing changes"
        )
        for cell in space.cells
        if cell.predictions and cell.id in space.change
    ]


def _compared(space: "Space") -> list[tuple[KeyPath, str, Contrast | Comparison]]:
    """Return every pair of cells that is compared, with its key and the words for where it stands."""
    named: list[tuple[KeyPath, str, Contrast | Comparison]] = [
        (("contrasts", i), "contrasts", contrast) for i, contrast in enumerate(space.contrasts)
    ]
    for i, claim in enumerate(space.claims):
        named += [
            (("claims", i, "comparisons", j), f"claim {claim.id}", comparison)
            for j, comparison in enumerate(claim.comparisons)
        ]
    return named
