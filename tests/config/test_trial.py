"""Every leaf of a trial reaches code that reads it; a key that reaches nothing would change no result."""

import ast

import pytest
from pydantic import BaseModel

from raysed.config.reader import ConfigError, validate
from raysed.config.trial import Trial
from tests.paths import ROOT


def leaves(model, prefix=""):
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def attributes_read():
    """Names read as attributes outside the definitions, and names given to getattr as subsets."""
    names = {"synthetic", "unlabelled", "weak"}  # getattr(shares, subset) over SUBSETS
    for path in (ROOT / "raysed").rglob("*.py"):
        if path.name in ("trial.py", "data_job.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                names.add(node.attr)
    return names


def test_every_leaf_is_read_somewhere():
    read = attributes_read()
    unread = [leaf for leaf in leaves(Trial) if leaf.split(".")[-1] not in read]
    assert unread == []


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
