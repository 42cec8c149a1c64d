"""The content of the error browser: a few validation clips, their reference events and the detections of
every cell.

The clips are chosen from the stored counts, so that this also works where the data set is gone; then there is
no log-mel, no audio and no reference, and the page says so.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from raysed.evaluation.counts.clip_counts import arrays_of
from raysed.evaluation.counts.matching import event_hits
from raysed.evaluation.detections.events import Events
from raysed.page.stored import stored_clips
from raysed.report.results import Result
from raysed.run.folders import TrialFolder, scores_file
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.training.scores import Scores, found_events
from raysed.training.scoring import decode_scores

WORST, RANDOM = 12, 12
"""Clips of each evaluation set: with the most errors, and drawn from the rest with seed 0."""
MEDIA_BUDGET_BYTES = 6_000_000
"""Bytes of all pictures and audio together; clips beyond them have neither."""


def browser_of(run: Folder, plan: RunPlan, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return one entry for each evaluation set that has results."""
    urls = {about.name: about.url for about in plan.datasets}
    root = Path(plan.recorded_root) if plan.recorded_root else None
    budget = MEDIA_BUDGET_BYTES
    entries = []
    # Of others no scores are stored, or what they become is chosen clip by clip.
    trained = [result for result in results if result.about and not result.postprocessing]
    for evaluation in dict.fromkeys(result.evaluation for result in trained):
        here = [result for result in trained if result.evaluation == evaluation]
        chosen = choose(here)
        stored, missing = stored_clips(urls.get(evaluation), set(chosen), root)
        clips = [_clip(name, why, here, stored.get(name, {})) for name, why in chosen.items()]
        budget = trim_media(clips, budget)
        entries.append(
            {
                "evaluation": evaluation,
                "clips": clips,
                "total": here[0].statistics.n_clips,
                "classes": list(here[0].statistics.classes),
                "missing": missing,
                "systems": [_system(run, plan, result, clips) for result in here],
            }
        )
    return entries


def choose(results: Sequence[Result]) -> dict[str, str]:
    """Return clip -> why it is shown. Errors are event-based false positives and misses, the mean over
    results.
    """
    statistics = results[0].statistics
    errors_N = np.mean([errors_of(result)[1:].sum(axis=0) for result in results], axis=0)
    order = np.lexsort((np.arange(len(errors_N)), -errors_N))
    worst, rest = order[:WORST], np.sort(order[WORST:])
    drawn = np.random.default_rng(0).permutation(rest)[:RANDOM]
    return {statistics.filenames[n]: "most errors" for n in worst} | {
        statistics.filenames[n]: "random" for n in drawn
    }


def errors_of(result: Result) -> np.ndarray:
    """Return event-based hits, false positives and misses of each clip: (3, N)."""
    counts = result.statistics.event
    hits_N = counts.tp_NK.sum(axis=1)
    return np.stack(
        (hits_N, counts.n_sys_NK.sum(axis=1) - hits_N, counts.n_ref_NK.sum(axis=1) - hits_N)
    )


def _clip(name: str, why: str, results: Sequence[Result], stored: dict[str, Any]) -> dict[str, Any]:
    statistics = results[0].statistics
    n = statistics.filenames.index(name)
    return {
        "filename": name,
        "why": why,
        "duration_s": float(statistics.durations_s[n]),
        "events": stored.get("events"),
        "span_s": stored.get("span_s"),
        "band_hz": stored.get("band_hz"),
        "picture": stored.get("picture"),
        "audio": stored.get("audio"),
    }


def trim_media(clips: list[dict[str, Any]], budget: int) -> int:
    """Take the media off clips that are past the budget; return what is left of it."""
    for clip in clips:
        for kind in ("picture", "audio"):
            size = len(clip[kind] or "")
            if size > budget:
                clip[kind] = None
            else:
                budget -= size
    return budget


def _system(
    run: Folder, plan: RunPlan, result: Result, clips: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what one cell and seed detected in the chosen clips; None where its scores are not stored."""
    places = [result.statistics.filenames.index(clip["filename"]) for clip in clips]
    trial = TrialFolder.of(run, result.training, result.seed)
    name = scores_file(result.evaluation, result.xvalid)
    content = trial.folder.read(name)
    scores = None if content is None else decode_scores(content, f"{trial.url}/{name}")
    return {
        "cell": result.cell,
        "seed": result.seed,
        "counts": errors_of(result)[:, places].T.tolist(),
        "events": None if scores is None else detected(scores, plan, result, clips),
    }


def detected(
    scores: Scores, plan: RunPlan, result: Result, clips: list[dict[str, Any]]
) -> list[list[list[Any]]]:
    """Return clip -> events as [class, onset, offset, hit], at the training's own threshold and filter; `hit`
    as the event F1 matches them, None where the clip's reference is not known.
    """
    config = plan.training(result.training).config
    threshold = result.statistics.parameters.threshold
    shown = scores.of([clip["filename"] for clip in clips])
    events = found_events(shown, (threshold,), config["postprocessing"]["median_window"])[threshold]
    rules = result.statistics.parameters
    hit_E = event_hits(
        arrays_of(reference_events(clips), len(clips)),
        arrays_of(events, len(clips)),
        rules.t_collar_s,
        rules.percentage_of_length,
    )
    found: list[list[list[Any]]] = [[] for _ in clips]
    for n, k, onset, offset, hit in zip(
        events.clip_E, events.label_E, events.onset_E, events.offset_E, hit_E, strict=True
    ):
        known = None if clips[n]["events"] is None else bool(hit)
        found[n].append([int(k), round(float(onset), 3), round(float(offset), 3), known])
    return found


def reference_events(clips: list[dict[str, Any]]) -> Events:
    """Return the annotated events of the clips; none where they are not known."""
    rows = [(n, *event) for n, clip in enumerate(clips) for event in clip["events"] or ()]
    clip_E, label_E, onset_E, offset_E = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Events.sort(clip_E, label_E, onset_E, offset_E)
