"""Augmentation is off by default, and settings of what is off name no other trial."""

import pytest

from raysed.config.augmentation import Augmentation
from raysed.config.fault import ConfigError
from raysed.config.reader import validate
from tests.training.tiny import trial


def given(**values):
    return validate(values, Augmentation, source="here")


def test_nothing_is_on_by_default_nor_in_an_identity():
    assert not Augmentation().is_on
    assert "augmentation" not in trial().training_identity()


@pytest.mark.parametrize(
    "values",
    [
        {"mixup": "soft"},
        {"time_shift_s": 1.44},
        {"time_mask": [0.05, 0.2]},
        {"filter_augment": "step"},
    ],
)
def test_one_key_switches_it_on(values):
    assert given(**values).is_on
    config = trial(augmentation=given(**values))
    assert config.training_identity()["augmentation"] == values


def test_settings_of_what_is_off_name_no_other_trial():
    off = given(mixup=None, mixup_probability=0.8, mixup_beta=0.4, filter_db=[-3.0, 3.0])
    assert off == Augmentation()
    assert trial(augmentation=off).training_identity() == trial().training_identity()
    on = given(mixup="hard", mixup_probability=0.8, mixup_beta=0.4)
    assert (on.mixup_probability, on.mixup_beta) == (0.8, 0.4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"time_mask": [0.2, 0.05]}, r"time_mask: \[0.2, 0.05\] is not \[least, largest\]"),
        ({"filter_augment": "step", "filter_db": [6.0, -6.0]}, "filter_db"),
        ({"time_mask": [0.0, 0.2]}, "time_mask"),
        ({"mixup": "medium"}, "mixup"),
        ({"mixup_probability": 7.0}, "mixup_probability"),
    ],
)
def test_what_is_no_augmentation_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        given(**values)
