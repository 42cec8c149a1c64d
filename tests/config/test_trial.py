"""Every leaf of a trial changes what its training leaves; a key that reaches nothing would not."""

import json
from functools import cache

import numpy as np
import pytest
from pydantic import BaseModel

from raysed.config.fault import ConfigError
from raysed.config.reader import validate
from raysed.config.trial import Optimiser, PostProcessing, Schedule, Selection, Trial
from raysed.evaluation.counts.statistics import Statistics
from raysed.storage.folder import Folder
from raysed.training.scoring import decode_scores
from raysed.training.train import train
from tests.training.tiny import sets, trial, with_rows, with_waveforms

# Scores of the last epoch cross this threshold often, so that what comes after the network matters too.
BASE = trial(
    schedule=Schedule(epochs=5, ramp_epochs=2),
    optimiser=Optimiser(learning_rate=0.05, ramp=False),
    selection=Selection(rule="last"),
    postprocessing=PostProcessing(threshold=0.44),
)
# What some leaves need beside the base to matter: a rule that reads the set; an x-valid F1 whose first maximum is
# not the last epoch.
NEEDED = {
    "data.weak_xvalid": {"data.weak_xvalid": "weak", "selection.rule": "xvalid_f1_plus_weak"},
    "selection.rule": {"postprocessing.threshold": 0.35},
    "augmentation.mixup_probability": {"augmentation.mixup": "soft"},
    "augmentation.mixup_beta": {"augmentation.mixup": "soft"},
    "augmentation.filter_db": {"augmentation.filter_augment": "step"},
    "optimiser.algorithm": {"optimiser.weight_decay": 0.1},
}

CHANGES = {
    "data.synthetic": "validation",
    "data.unlabelled": "validation",
    "data.weak": "validation",
    "data.weak_xvalid": "validation",
    "data.scaler": ["weak"],
    "data.xvalid": ["plain"],
    "data.evaluation": ["plain"],
    "shares.synthetic": 3,
    "shares.unlabelled": 2,
    "shares.weak": 1,
    "shares.strong": {"validation": 2},
    "model.filters": [4, 4, 6],
    "model.pooling": [[2, 2], [1, 2], [1, 2]],
    "model.pool": "max",
    "model.gru_units": 5,
    "model.gru_layers": 2,
    "model.dropout": 0.1,
    "model.batchnorm_momentum": 0.9,
    "model.batchnorm_eps": 0.1,
    "model.glu_std": 0.2,
    "model.attention_axis": "time",
    "model.embedding": {"fusion": "interpolate", "width": 3},
    "model.own": {"python": "tests.model.own_nets:Frames"},
    "teacher.ema_decay": 0.1,
    "teacher.ema_every": "epoch",
    "teacher.snr_db": None,
    "teacher.noise_domain": "waveform",
    "augmentation.time_shift_s": 0.1,
    "augmentation.mixup": "hard",
    "augmentation.mixup_probability": 0.9,
    "augmentation.mixup_beta": 2.0,
    "augmentation.time_mask": [0.1, 0.2],
    "augmentation.filter_augment": "linear",
    "augmentation.filter_db": [-1.0, 1.0],
    "consistency.weight": 1.0,
    "consistency.ramp": False,
    "consistency.class_weights": {"Dog": 0.5},
    "optimiser.algorithm": "adamw",
    "optimiser.learning_rate": 1e-3,
    "optimiser.ramp": True,
    "optimiser.decay": "cosine",
    "optimiser.betas": [0.5, 0.999],
    "optimiser.weight_decay": 0.1,
    "optimiser.clip_norm": 0.01,
    "schedule.epochs": 1,
    "schedule.ramp_epochs": 1,
    "schedule.steps_per_epoch": 2,
    "precision": "bfloat16",
    "selection.rule": "xvalid_f1",
    "selection.network": "teacher",
    "postprocessing.threshold": 0.4,
    "postprocessing.median_window": 1,
}


def leaves(model, prefix=""):
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def changed(values):
    content = BASE.model_dump(mode="json")
    for leaf, value in values.items():
        *sections, key = leaf.split(".")
        place = content
        for section in sections:
            place = place[section]
        place[key] = value
    return validate(content, Trial, source="here")


@cache
def heard_sets():
    """The sets with sounds and rows, which no training changes."""
    return {name: with_rows(with_waveforms(each)) for name, each in sets().items()}


def outcome(config, folder):
    """What training decides: losses, choices, and the scores and event counts of the evaluation sets.

    Configuration that is merely written down again is no part of it.
    """
    result = train(config, heard_sets(), Folder(str(folder)), seed=7)
    found = {"selected": result["selected"]}
    for number, line in enumerate((folder / "progress.jsonl").read_text().splitlines()):
        metrics = json.loads(line)
        keys = ("loss", "weak", "strong", "xvalid_f1", "weak_xvalid_f1")
        found[number] = {key: metrics.get(key) for key in keys}
    for path in (folder / "scores").iterdir():
        found[path.name] = decode_scores(path.read_bytes(), path.name).scores_NUK.tobytes()
    for path in (folder / "statistics").iterdir():
        counts = Statistics.load(path).event
        found[path.name] = np.stack([counts.tp_NK, counts.n_sys_NK]).tobytes()
    return found


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Outcomes of changes to the base, each trained once."""
    known = {}

    def find(values):
        key = json.dumps(values, sort_keys=True)
        if key not in known:
            known[key] = outcome(changed(values), tmp_path_factory.mktemp("trial"))
        return known[key]

    return find


def test_every_leaf_is_tried():
    assert sorted(CHANGES) == sorted(leaves(Trial))


@pytest.mark.slow
def test_the_same_trial_has_the_same_outcome(outcomes, tmp_path):
    assert outcome(BASE, tmp_path) == outcomes({})


@pytest.mark.slow
@pytest.mark.parametrize("leaf", CHANGES)
def test_every_leaf_decides_the_outcome(outcomes, leaf):
    base = NEEDED.get(leaf, {})
    assert outcomes({**base, leaf: CHANGES[leaf]}) != outcomes(base)


def test_defaults_are_the_published_system():
    trial = validate(
        {
            "data": {
                "synthetic": "s",
                "unlabelled": "u",
                "weak": "w",
                "xvalid": ["x"],
                "evaluation": ["v"],
            }
        },
        Trial,
        source="here",
    )
    shares = trial.shares
    assert (shares.synthetic, shares.unlabelled, shares.weak, shares.total) == (6, 12, 6, 24)
    assert trial.model.filters == (16, 32, 64, 128, 128, 128, 128)
    assert trial.model.time_pooling == 4
    assert (trial.model.dropout, trial.model.batchnorm_momentum, trial.model.pool) == (
        0.5,
        0.99,
        "average",
    )
    assert (trial.teacher.ema_decay, trial.teacher.ema_every, trial.teacher.snr_db) == (
        0.999,
        "step",
        30.0,
    )
    assert (trial.consistency.weight, trial.consistency.ramp) == (2.0, True)
    assert (trial.optimiser.learning_rate, trial.optimiser.ramp) == (1e-3, True)
    assert (trial.schedule.epochs, trial.schedule.ramp_epochs) == (200, 50)
    assert (trial.optimiser.algorithm, trial.optimiser.weight_decay) == ("adam", 0.0)
    assert (trial.optimiser.decay, trial.optimiser.clip_norm) == (None, None)
    assert not trial.augmentation.is_on and trial.consistency.class_weights == {}
    assert (trial.selection.rule, trial.selection.network) == ("xvalid_f1", "student")
    assert (trial.postprocessing.threshold, trial.postprocessing.median_window) == (0.5, 7)


def test_weak_rule_needs_its_set():
    content = {
        "data": {
            "synthetic": "s",
            "unlabelled": "u",
            "weak": "w",
            "xvalid": ["x"],
            "evaluation": ["v"],
        },
        "selection": {"rule": "xvalid_f1_plus_weak"},
    }
    with pytest.raises(ConfigError, match=r"needs data\.weak_xvalid"):
        validate(content, Trial, source="here")


@pytest.mark.parametrize("moved", [{"time_shift_s": 0.1}, {"time_mask": [0.1, 0.2]}])
def test_stored_rows_are_not_moved_in_time(moved):
    content = BASE.model_dump(mode="json")
    content["augmentation"] = moved
    content["model"]["embedding"] = {"fusion": "pool", "width": 3}
    with pytest.raises(ConfigError, match="stored embeddings keep theirs"):
        validate(content, Trial, source="here")
