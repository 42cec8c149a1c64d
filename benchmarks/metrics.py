"""The cost of metrics: bootstraps and single values against psds_eval and sed_eval on the same real
predictions (1168 clips, 10 classes, 50 operating points), memory, and the cost as clips, classes and
operating points grow.

The naive loops would take most of an hour for 1000 resamples, so a few resamples really run, are
compared with ours, and are extrapolated: those rows say so.
"""

import io
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
import sed_eval
import typer
from psds_eval import PSDSEval

from benchmarks.common import Row, document, least_s, one_core, paired, publish, row
from benchmarks.real_systems import BASELINE, TRUTH, read_real
from raysed.evaluation.counts.clip_counts import PAPER
from raysed.evaluation.counts.statistics import Parameters, Statistics, collect
from raysed.evaluation.detections.event_table import read_durations_tsv, read_events_tsv
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.intervals.bootstrap import clip_weights, random_bits
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.evaluation.metrics.psds import psds
from raysed.evaluation.metrics.registry import METRICS

DRAWS = 1000
ONLY_PSDS = Parameters(psds=(PAPER,))


@dataclass(frozen=True)
class Extrapolated(Row):
    """A row whose reference ran a few of the resamples."""

    extrapolated: bool = True


@dataclass(frozen=True)
class Tables:
    """The same predictions in the form that the field's packages take."""

    truth: pd.DataFrame
    metadata: pd.DataFrame
    points: list[pd.DataFrame]

    @classmethod
    def read(cls) -> "Tables":
        """Read the tables from the TSV files; clips without events have no rows."""
        durations_s = read_durations_tsv(BASELINE / "durations.tsv")
        metadata = pd.DataFrame({"filename": list(durations_s), "duration": durations_s.values()})
        points = [read_events_tsv(p) for p in sorted((BASELINE / "predictions").glob("*.tsv"))]
        return cls(read_events_tsv(TRUTH).dropna(), metadata, points)

    def resample(self, reference: Reference, weights_N: np.ndarray) -> "Tables":
        """Return each clip as often as it was drawn, under new names."""
        names = np.repeat(np.asarray(reference.filenames, dtype=object), weights_N)
        drawn = pd.DataFrame({"filename": names, "name": [f"{i}.wav" for i in range(len(names))]})

        def moved(table: pd.DataFrame) -> pd.DataFrame:
            found = table.merge(drawn, on="filename").drop(columns="filename")
            return found.rename(columns={"name": "filename"})

        return Tables(moved(self.truth), moved(self.metadata), [moved(p) for p in self.points])


def psds_eval_value(tables: Tables) -> float:
    """Compute the PSDS by psds_eval 0.5.3."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = PSDSEval(0.5, 0.5, 0.3, ground_truth=tables.truth, metadata=tables.metadata)
        for point in tables.points:
            oracle.add_operating_point(point)
        return float(oracle.psds(alpha_ct=1.0, alpha_st=0.0, max_efpr=100.0).value)


def sed_eval_value(tables: Tables, classes: tuple[str, ...]) -> float:
    """Compute the event-based macro-F1 of the first operating point by sed_eval, clip by clip."""
    metric = sed_eval.sound_event.EventBasedMetrics(
        list(classes), t_collar=0.2, percentage_of_length=0.2,
        empty_system_output_handling="zero_score",
    )  # fmt: skip
    groups = [dict(list(t.groupby("filename"))) for t in (tables.truth, tables.points[0])]
    for name in tables.metadata["filename"]:
        metric.evaluate(
            *(
                group[name].to_dict("records") if name in group else [{"filename": name}]
                for group in groups
            )
        )
    return float(metric.results_class_wise_average_metrics()["f_measure"]["f_measure"])


def bootstraps(tables: Tables, pairs: int) -> list[Row]:
    """Compare 1000 resamples by counts with the naive loop's time for one resample x 1000."""
    reference, _, points = read_real()
    half = Tables(tables.truth, tables.metadata, [tables.points[24]])
    statistics = collect(reference, points[0.49], points, parameters=ONLY_PSDS)
    rows: list[Row] = []
    for name, metric, naive, given in (
        ("PSDS", psds, psds_eval_value, tables),
        ("event F1", lambda s, w: event_f1(s, w)[0],
         lambda t: sed_eval_value(t, reference.classes), half),
    ):  # fmt: skip
        values: dict[str, dict[int, float]] = {"ours": {}, "naive": {}}

        def ours(pair: int, metric: Callable = metric, into: dict = values["ours"]) -> None:
            weights_BN = clip_weights(reference.key, len(reference.filenames), DRAWS, pair)
            into[pair] = float(metric(statistics, weights_BN)[0])

        def theirs(
            pair: int, naive: Callable = naive, given: Tables = given, into: dict = values["naive"]
        ) -> None:
            weights_BN = clip_weights(reference.key, len(reference.filenames), 1, pair)
            into[pair] = naive(given.resample(reference, weights_BN[0]))

        mine, one = paired(ours, theirs, pairs=pairs)
        error = max(abs(values["ours"][pair] - values["naive"][pair]) for pair in values["ours"])
        draws_s = least_s(
            lambda seed: random_bits("floor", seed, 0, DRAWS * len(reference.filenames))
        )
        package = "psds_eval 0.5.3" if name == "PSDS" else "sed_eval 0.2.1"
        found = row(
            f"{name} bootstrap, B = {DRAWS}, weights drawn",
            f"{package} on resampled tables, 1 resample x {DRAWS}",
            (mine, [seconds * DRAWS for seconds in one]),
            items=DRAWS,
            unit="resamples/s",
            error=error,
            limit="drawing the weights" + ("" if name != "PSDS" else ", counts of 27,000 changes"),
            floor_s=draws_s,
        )
        rows.append(Extrapolated(**vars(found)))
    return rows


def single(tables: Tables, pairs: int) -> list[Row]:
    """Compare one value from pandas tables, everything included."""
    durations_s = dict(zip(tables.metadata["filename"], tables.metadata["duration"], strict=True))
    classes = sorted(set(tables.truth["event_label"]))
    reference = Reference.from_frame(tables.truth, durations_s, classes)
    values: dict[str, float] = {}

    def encode() -> tuple[Reference, list[Events]]:
        whole = Reference.from_frame(tables.truth, durations_s, classes)
        return whole, [Events.from_frame(p, whole.filenames, classes) for p in tables.points]

    _, encoded = encode()

    def from_pandas(_: int) -> None:
        whole, points = encode()
        values["ours"] = value(whole, points)

    def from_arrays(_: int) -> None:
        values["ours"] = value(reference, encoded)

    def value(whole: Reference, points: list[Events]) -> float:
        found = collect(whole, points[24], dict(enumerate(points)), parameters=ONLY_PSDS)
        return float(psds(found)[0])

    def theirs(_: int) -> None:
        values["naive"] = psds_eval_value(tables)

    rows = []
    for label, ours in (("pandas tables", from_pandas), ("encoded arrays", from_arrays)):
        times = paired(ours, theirs, pairs=pairs)
        rows.append(
            row(
                f"one PSDS, 50 points, from {label}",
                "psds_eval 0.5.3 from pandas tables",
                times,
                items=1,
                unit="values/s",
                error=abs(values["ours"] - values["naive"]),
                limit="pandas look-ups" if ours is from_pandas else "counting",
            )
        )
    return rows


def memory(tables: Tables) -> dict[str, float]:
    """Return the memory that is kept for a system, and the peak of Python and numpy for one PSDS, in
    megabytes. The compiled kernels add K x M x 512 + N x 128 bytes.
    """
    reference, default, points = read_real()
    statistics = collect(reference, default, points)
    stream = io.BytesIO()
    statistics.save(stream)
    peaks = {}
    for label, work in (
        ("psds_eval", lambda: psds_eval_value(tables)),
        ("ours", lambda: psds(collect(reference, default, points, parameters=ONLY_PSDS))),
        (f"ours_bootstrap_{DRAWS}", lambda: psds(statistics, weights(statistics))),
    ):
        tracemalloc.start()
        work()
        peaks[f"peak_mb_{label}"] = round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
        tracemalloc.stop()
    return {"statistics_file_kb": round(len(stream.getvalue()) / 1e3, 1), **peaks}


def weights(statistics: Statistics) -> np.ndarray:
    """Return weights that draw the set's clips."""
    return clip_weights(statistics.key, statistics.n_clips, DRAWS, 0)


def scaled(copies: int, kinds: int, step: int) -> Statistics:
    """Return the real set `copies` times, with each class split into `kinds`, and every `step`-th point.

    The kind of an event depends on its clip; the detector mistakes one in five for another kind.
    """
    reference, default, points = read_real()
    n_clips, n_classes = len(reference.filenames), len(reference.classes)
    rng = np.random.default_rng([6, kinds])
    kind_NK = rng.integers(kinds, size=(n_clips * copies, n_classes))
    heard_NK = np.where(
        rng.random(kind_NK.shape) < 0.2, rng.integers(kinds, size=kind_NK.shape), kind_NK
    )

    def spread(events: Events, of_NK: np.ndarray) -> Events:
        clip_E = (events.clip_E + n_clips * np.arange(copies)[:, None]).ravel()
        label_E, onset_E, offset_E = (
            np.tile(a, copies) for a in (events.label_E, events.onset_E, events.offset_E)
        )
        return Events.sort(clip_E, label_E * kinds + of_NK[clip_E, label_E], onset_E, offset_E)

    larger = Reference(
        tuple(f"{n:06d}.wav" for n in range(n_clips * copies)),
        np.tile(reference.durations_s, copies),
        tuple(f"{label}{kind:02d}" for label in reference.classes for kind in range(kinds)),
        spread(reference.events, kind_NK),
    )
    kept = {t: spread(points[t], heard_NK) for t in list(points)[::step]}
    return collect(larger, spread(default, heard_NK), kept, parameters=ONLY_PSDS)


def scaling() -> list[dict[str, Any]]:
    """Measure the microseconds of CPU of a resample, on sets of other sizes."""
    sizes = [(1, 1, step) for step in (10, 5, 2, 1)]
    sizes += [(copies, 1, 1) for copies in (2, 4)] + [(1, kinds, 1) for kinds in (2, 5, 10, 40)]
    rows = []
    for copies, kinds, step in sizes:
        statistics = scaled(copies, kinds, step)
        stream = io.BytesIO()
        statistics.save(stream)
        found: dict[str, Any] = {
            "clips": statistics.n_clips,
            "classes": len(statistics.classes),
            "points": len(statistics.thresholds),
            "changes": statistics.psds[PAPER].clip_E.size,
            "file_kb": round(len(stream.getvalue()) / 1e3, 1),
        }
        weights_BN = weights(statistics)[:320]
        for name in ("psds", "event_f1"):
            METRICS[name](statistics, weights_BN[:1])
            start = time.process_time()
            METRICS[name](statistics, weights_BN)
            seconds = time.process_time() - start
            found[f"{name}_us"] = round(1e6 * seconds / len(weights_BN), 1)
        rows.append(found)
        print(found, flush=True)
    return rows


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of each comparison.")] = 5,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Compare, measure, and print the JSON document."""
    one_core()
    tables = Tables.read()
    rows = single(tables, pairs) + bootstraps(tables, pairs)
    more = {"memory": memory(tables), "scaling": scaling()}
    publish(document("metrics", rows, **more), store)


if __name__ == "__main__":
    typer.run(main)
