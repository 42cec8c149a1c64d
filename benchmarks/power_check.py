"""Predicted half-widths of simultaneous intervals beside those that the report then shows, on real predictions.

Four systems are copies of the DCASE 2020 baseline's operating points on VAL, and of the 12 clips of DCASE 2023's BEATs
baseline, with planted effects: they lose a share of
their clip x class cells. Each has several seeds, which lose other cells and move other events. The first three seeds are
the pilot from which `--plan` predicts; the half-widths of more seeds are predicted and then measured, and so are those
of the priors that stand for a space without any trial.
"""

import json
import time
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import RESULTS, document
from benchmarks.real_systems import perturbed_systems, read_beats, read_real
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.intervals.power import critical_value, half_width
from raysed.evaluation.intervals.significance import FEW_SEEDS, drawn, max_t, mean_difference
from raysed.report.claim_power import spread_of
from raysed.report.table_metrics import TABLE_METRICS

SYSTEMS = 4
LOST = (0.0, 0.04, 0.08, 0.16)
"""The share of its cells that each system loses: the planted effects."""
PILOT = 3
STORED = RESULTS / "power.json"


Real = tuple[Reference, Events, dict[float, Events]]


def check(metric: str, seeds: int, draws: int, real: Real) -> dict[str, Any]:
    """Return predicted and realised half-widths of three differences, from the pilot's seeds to `seeds`."""
    of = TABLE_METRICS[metric]
    lost = [LOST[s % SYSTEMS] for s in range(SYSTEMS * seeds)]
    copies = perturbed_systems(SYSTEMS * seeds, lost, real)
    by_system = [
        [drawn(of, one, draws=draws) for one in copies[s::SYSTEMS]] for s in range(SYSTEMS)
    ]
    pairs = [(s, 0) for s in range(1, SYSTEMS)]
    critical = critical_value(np.hstack((-np.ones((len(pairs), 1)), np.eye(len(pairs)))))
    pilot = [
        (
            np.array([a.value - b.value for a, b in zip(by_system[s], by_system[0], strict=True)]),
            np.stack(
                [
                    a.left_out_J - b.left_out_J
                    for a, b in zip(by_system[s], by_system[0], strict=True)
                ]
            ),
        )
        for s, _ in pairs
    ]
    spreads = spread_of([(value_S[:PILOT], left_SJ[:PILOT]) for value_S, left_SJ in pilot])
    rows = []
    for count in range(PILOT, seeds + 1):
        found = [
            mean_difference(
                by_system[s][:count], by_system[0][:count], seeds_fixed=count <= FEW_SEEDS
            )
            for s, _ in pairs
        ]
        together = max_t(np.array([e.value for e in found]), np.stack([e.values_B for e in found]))
        realised_C = (together[:, 1] - together[:, 0]) / 2
        predicted_C = np.array([half_width(spread, count, critical) for spread in spreads])
        rows.append(
            {
                "seeds": count,
                "differences": [round(e.value, 4) for e in found],
                "realised": [round(float(x), 5) for x in realised_C],
                "predicted": [round(float(x), 5) for x in predicted_C],
                "ratio": [round(float(x), 3) for x in predicted_C / realised_C],
            }
        )
    return {"critical": critical, "rows": rows}


def main(
    seeds: Annotated[int, typer.Option(min=4)] = 8,
    draws: Annotated[int, typer.Option(min=100)] = 2000,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Predict and measure, for event F1 and PSDS."""
    started = time.process_time()
    found, beats = (
        {metric: check(metric, seeds, draws, real) for metric in ("event_f1", "psds")}
        for real in (read_real(), read_beats())
    )
    cpu_s = time.process_time() - started
    content = document("power", [], half_widths=found, half_widths_beats=beats, cpu_s=cpu_s)
    if store:
        STORED.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps({"dcase2020": found, "beats": beats}, indent=1))


if __name__ == "__main__":
    typer.run(main)
