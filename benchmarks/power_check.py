"""Predicted half-widths of simultaneous intervals beside those that the report then shows, on real predictions.

The systems are copies of the DCASE 2020 baseline's operating points on VAL, and of the 12 clips of DCASE 2023's BEATs
baseline, with planted effects: they lose a share of their clip x class cells. Each has several seeds, which lose other
cells and move other events. Three seeds are the pilot from which `--plan` predicts; the half-widths of these and of more
seeds are predicted and then measured: once, with the first seeds, and averaged over pilots and later seeds by chance.
"""

import json
import time
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, document
from benchmarks.real_systems import perturbed_systems, read_beats, read_real
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.intervals.power import Spread, critical_value, half_width
from raysed.evaluation.intervals.seed_noise import SeedVariances, SystemSeeds, clip_noise, noise_of
from raysed.evaluation.intervals.significance import FEW_SEEDS, Drawn, drawn
from raysed.report.paired_seeds import PairedSeeds, family_intervals
from raysed.report.spreads import spreads_of
from raysed.report.table_metrics import TABLE_METRICS

SYSTEMS = (22, 4)
"""As many as the ablation has, and few."""
LOST = (0.0, 0.04, 0.08, 0.16)
"""The share of its cells that each system loses: the planted effects."""
PILOT = 3
PILOT_DRAWS = 1000
"""So many of the report's draws does the plan take."""
MOST = 6
"""Half-widths are predicted for up to so many seeds."""
COPIES = 8
"""Seeds that there are of every system, from which those of the replicates are drawn."""
REPLICATES = 100
STORED = RESULTS / "power.json"


Real = tuple[Reference, Events, dict[float, Events]]


@dataclass(frozen=True)
class Systems:
    """Copies of one real system, each with several seeds."""

    drawn_GS: list[list[Drawn]]

    @classmethod
    def of(cls, metric: str, count: int, draws: int, real: Real) -> "Systems":
        """Return so many systems, of which each loses a share of its cells."""
        lost = [LOST[g * len(LOST) // count] for g in range(count)]
        copies = perturbed_systems(count * COPIES, lost * COPIES, real)
        of = TABLE_METRICS[metric]
        return cls([[drawn(of, c, draws=draws) for c in copies[g::count]] for g in range(count)])

    def drawn_again(self, random: np.random.Generator) -> "Systems":
        """Return them in another order, with seeds drawn from theirs."""
        return Systems(
            [
                [self.drawn_GS[g][s] for s in random.integers(COPIES, size=MOST)]
                for g in random.permutation(len(self.drawn_GS))
            ]
        )

    @property
    def critical(self) -> float:
        """The critical value that the plan takes."""
        count = len(self.drawn_GS)
        return critical_value(np.hstack((-np.ones((count - 1, 1)), np.eye(count - 1))))

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every system but the first, against the first."""
        return [(g, 0) for g in range(1, len(self.drawn_GS))]

    def seeds(self, count: int) -> list[SystemSeeds]:
        """Return the values of the first seeds."""
        return [
            SystemSeeds(f"t{g}", {s: each.value for s, each in enumerate(by_seed[:count])})
            for g, by_seed in enumerate(self.drawn_GS)
        ]

    def paired(self, count: int) -> list[PairedSeeds]:
        """Return the differences of the first seeds."""
        return [
            PairedSeeds(
                (f"t{a}", f"t{b}"),
                tuple(range(count)),
                tuple(self.drawn_GS[a][:count]),
                tuple(self.drawn_GS[b][:count]),
                (),
            )
            for a, b in self.pairs
        ]


def realised(systems: Systems, count: int) -> np.ndarray:
    """Return the half-widths that the report shows for so many seeds, (C,)."""
    found, known = systems.paired(count), None
    if count > FEW_SEEDS:
        clips = [each.clips for each in found]
        known = noise_of(systems.seeds(count), systems.pairs, clips), systems.pairs
    row_C6 = family_intervals(found, known)
    return (row_C6[:, 4] - row_C6[:, 3]) / 2


def spreads(systems: Systems) -> list[Spread]:
    """Return what the plan knows of every difference after the pilot."""
    names = {each.training: each for each in systems.seeds(PILOT)}
    clips = {}
    for each in systems.paired(PILOT):
        value_SB = [x.values_B - y.values_B for x, y in zip(each.a, each.b, strict=True)]
        clips[each.pair] = clip_noise(np.stack(value_SB)[:, :PILOT_DRAWS])
    return list(spreads_of(names, clips).values())


def unstable(systems: Systems, count: int) -> np.ndarray:
    """Tell of which differences a training is taken for unstable after so many seeds, (C,)."""
    variances = SeedVariances.of(systems.seeds(count), systems.pairs)
    return np.array([any(variances.is_unstable(f"t{g}") for g in pair) for pair in systems.pairs])


def chance_sd(known: list[Spread], seeds: int, systems: int) -> float:
    """Return the relative standard deviation, by chance, of a predicted half-width over a realised one of more seeds.

    Both variances between seeds are pooled, and the pilot's seeds are among the later ones: of the variance's relative
    deviation, half times the share of the seeds in the whole variance reaches the half-width.
    """
    if seeds <= FEW_SEEDS:
        return 0.0
    parts = [(spread.seed_sd / np.sqrt(seeds) / spread.se(seeds)) ** 2 for spread in known]
    apart = 2 / (systems * (PILOT - 1)) - 2 / (systems * (seeds - 1))
    return float(np.median(parts) / 2 * np.sqrt(apart))


def check(systems: Systems) -> dict[str, Any]:
    """Return predicted and realised half-widths of all differences from the first system, by the first seeds."""
    count, known = len(systems.drawn_GS), spreads(systems)
    rows = []
    for seeds in range(PILOT, MOST + 1):
        realised_C = realised(systems, seeds)
        predicted_C = np.array([half_width(spread, seeds, systems.critical) for spread in known])
        wild_C = unstable(systems, PILOT) | unstable(systems, seeds)
        rows.append(
            {
                "seeds": seeds,
                "realised": [round(float(x), 5) for x in realised_C],
                "predicted": [round(float(x), 5) for x in predicted_C],
                "ratio": [round(float(x), 3) for x in predicted_C / realised_C],
                "unstable": wild_C.tolist(),
                "chance_sd": round(chance_sd(known, seeds, count), 3),
            }
        )
    ratios = np.array([row["ratio"] for row in rows])
    calm = ~np.array([row["unstable"] for row in rows])
    near = np.abs(ratios - 1) <= 0.1
    return {
        "critical": systems.critical,
        "within": int(near.sum()),
        "of": near.size,
        "calm_within": int(near[calm].sum()),
        "calm": int(calm.sum()),
        "rows": rows,
    }


def averaged(systems: Systems) -> list[dict[str, Any]]:
    """Return the mean predicted half-width over the mean realised one, with its standard error, by the number of seeds.

    In every replicate other seeds are the pilot and another system is the baseline.
    """
    random, seeds = np.random.default_rng(18), range(2, MOST + 1)
    found_RS2 = np.empty((REPLICATES, len(seeds), 2))
    for found_S2 in found_RS2:
        taken = systems.drawn_again(random)
        known = spreads(taken)
        for place, count in enumerate(seeds):
            predicted = np.mean([half_width(spread, count, taken.critical) for spread in known])
            found_S2[place] = predicted, realised(taken, count).mean()
    mean_S2 = found_RS2.mean(axis=0)
    ratio_S = mean_S2[:, 0] / mean_S2[:, 1]
    left_RS = (found_RS2[..., 0] - ratio_S * found_RS2[..., 1]) / mean_S2[:, 1]
    se_S = left_RS.std(axis=0, ddof=1) / np.sqrt(REPLICATES)
    return [
        {"seeds": count, "ratio": round(float(ratio), 3), "standard_error": round(float(se), 3)}
        for count, ratio, se in zip(seeds, ratio_S, se_S, strict=True)
    ]


def compared(metric: str, count: int, draws: int, real: Real) -> dict[str, Any]:
    """Return both checks of so many systems."""
    systems = Systems.of(metric, count, draws, real)
    found = {"systems": count} | check(systems) | {"averaged": averaged(systems)}
    print(
        json.dumps({"metric": metric} | {k: v for k, v in found.items() if k != "rows"}), flush=True
    )
    return found


def main(
    draws: Annotated[int, typer.Option(min=100)] = 1000,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Predict and measure, for event F1 and PSDS, with as many systems as the ablation has and with four."""
    started = time.process_time()
    found = {
        name: {
            f"{metric}, {count} systems": compared(metric, count, draws, real)
            for metric in ("event_f1", "psds")
            for count in SYSTEMS
        }
        for name, real in (("dcase2020", read_real()), ("beats", read_beats()))
    }
    cpu_s = time.process_time() - started
    content = document("power", [], half_widths=found, cpu_s=cpu_s)
    if store:
        STORED.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
