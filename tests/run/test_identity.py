"""Whose a trial's folder is: the refusal of another trial's, naming what differs."""

import pytest

from raysed.config.trial import Trial, TrialData
from raysed.run.identity import check_identity

DATA = TrialData(synthetic="s", unlabelled="u", weak="w", xvalid=("x",), evaluation=("v",))


def identity(seed=0, **change):
    trial = Trial(data=DATA, **change).on("cpu")
    return {"trial": trial.model_dump(mode="json"), "seed": seed, "datasets": {"s": "1"}}


def test_nothing_and_the_same_go_on():
    check_identity("config.json", None, identity())
    check_identity("config.json", {**identity(), "torch": "2"}, identity())


def test_a_field_that_came_later_has_its_default():
    stored = identity()
    del stored["trial"]["precision"]
    check_identity("config.json", stored, identity())
    with pytest.raises(ValueError, match="precision float32 there, bfloat16 here"):
        check_identity("config.json", stored, identity(precision="bfloat16"))


def test_what_differs_is_told_with_both_values():
    with pytest.raises(
        ValueError, match=r"^config\.json belongs to another trial \(seed: 0 there, 3 here\)"
    ):
        check_identity("config.json", identity(), identity(seed=3))
    with pytest.raises(ValueError, match="seed: None there, 0 here"):
        check_identity("config.json", {}, identity())


def test_a_stored_trial_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"config\.json"):
        check_identity("config.json", {"trial": {"shares": 3}}, identity())


def test_a_precision_that_a_device_chose_is_part_of_the_identity():
    gpu = {**identity(), "trial": Trial(data=DATA).on("cuda:0").model_dump(mode="json")}
    check_identity("config.json", gpu, gpu)
    with pytest.raises(ValueError, match="precision tf32 there, float32 here"):
        check_identity("config.json", gpu, identity())
