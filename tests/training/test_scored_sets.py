from dataclasses import replace

import pytest

from raysed.training.scored_sets import check_scored_sets
from tests.training.tiny import sets, trial


def test_sets_that_cannot_choose_or_be_scored_are_refused():
    data = sets()
    trained = data["synthetic"]
    check_scored_sets(trial(), data, trained)
    dry = data["dry"]
    silent = {**data, "dry": replace(dry, events=((),) * len(dry))}
    with pytest.raises(ValueError, match="x-valid set dry holds no events"):
        check_scored_sets(trial(), silent, trained)
    renamed = {**data, "validation": replace(data["validation"], classes=("Cat", "Cow"))}
    with pytest.raises(ValueError, match="validation has classes"):
        check_scored_sets(trial(), renamed, trained)
