"""A small run folder without training: 40 clips, and systems that find a given number of events."""

import io

import numpy as np

from raysed.evaluation.counts.statistics import Parameters, collect
from raysed.evaluation.detections.baselines import always_on, permuted_clips
from raysed.evaluation.detections.events import Events, Reference
from raysed.run.run_plan import RunPlan
from raysed.run.stored_file import parse_stored
from raysed.storage.json_file import write_json

CLIPS, CLASSES = 40, ("Cat", "Dog")


def reference(seed=0):
    rng = np.random.default_rng(seed)
    onset = rng.uniform(0, 7, CLIPS).round(2)
    events = Events.sort(np.arange(CLIPS), rng.integers(0, 2, CLIPS), onset, onset + 2)
    names = tuple(f"clip{i:02d}.wav" for i in range(CLIPS))
    return Reference(names, np.full(CLIPS, 10.0), CLASSES, events)


def system(truth, hits, seed):
    """Finds the events of `hits` random clips exactly, the others 1.5 of their 2 s late."""
    late = np.full(CLIPS, 1.5)
    late[np.random.default_rng(seed).permutation(CLIPS)[:hits]] = 0
    events = truth.events
    return Events.sort(events.clip_E, events.label_E, events.onset_E + late, events.offset_E + late)


def put(folder, name, statistics):
    buffer = io.BytesIO()
    statistics.save(buffer)
    folder.write(name, buffer.getvalue())


def write_trial(run, training, hits, seed, *, xvalid_f1=0.5, sets=("val",), xvalids=("dry",)):
    trial = run.child(f"trials/{training}-seed{seed}")
    for index, evaluation in enumerate(sets):
        truth = reference(index)
        for offset, xvalid in enumerate(xvalids):
            found = system(truth, hits - offset, seed)
            stem = f"statistics/{evaluation}.{xvalid}"
            put(trial, f"{stem}.npz", collect(truth, found, {0.25: found, 0.75: found}))
            plain = Parameters(psds=())
            on = collect(truth, always_on(truth), None, parameters=plain)
            put(trial, f"{stem}.always_on.npz", on)
            moved = permuted_clips(found, CLIPS, seed=0)
            put(trial, f"{stem}.permuted.npz", collect(truth, moved, None, parameters=plain))
    selected = {xvalid: {"epoch": 3, "xvalid_f1": xvalid_f1} for xvalid in xvalids}
    about = {"selected": selected, "train_seconds": 1.0, "loss_first": 2.0, "loss_last": 1.0}
    write_json(trial, "result.json", about)


def cell(name, training, *, table="1", xvalid="dry", sets=("val",), f1=None, psds=None):
    published = {"val": {"event_f1": f1, "psds": psds}} if f1 or psds else {}
    return {
        "id": name,
        "table": table,
        "column": f"the {name} one",
        "training": training,
        "xvalid": xvalid,
        "evaluation": list(sets),
        "published": published,
    }


def changed_plan(run, **changes):
    """The plan of a run with other values, as JSON holds them."""
    return parse_stored(RunPlan.require(run).as_json() | changes, "plan.json", RunPlan)


def plan_of(cells, *, seeds=(0, 1), contrasts=(), claims=None):
    """`contrasts` are (cell, against)."""
    trainings = dict.fromkeys(cell["training"] for cell in cells)
    plan = {
        "space": "made up",
        "seeds": list(seeds),
        "trials": len(trainings) * len(seeds),
        "datasets": [{"name": "val", "id": "a", "url": "/data/val-a", "clips": CLIPS}],
        "bootstrap_draws": 500,
        "cells": cells,
        "contrasts": [{"cell": a, "against": b} for a, b in contrasts],
        "trainings": [{"id": t, "config": {"schedule": {"epochs": 9}}} for t in trainings],
    }
    return plan if claims is None else plan | {"claims": claims, "job": "made_up_job"}


def claim(name, *comparisons, evaluation="val", metrics=("event_f1", "psds")):
    """`comparisons` are (cell, expect, against)."""
    return {
        "id": name,
        "text": f"what {name} says",
        "evaluation": evaluation,
        "metrics": list(metrics),
        "comparisons": [{"cell": a, "expect": e, "against": b} for a, e, b in comparisons],
    }
