"""The resources of one trial."""

import pytest
from pydantic import ValidationError

from raysed.config.trial_resources import Resources


@pytest.mark.parametrize("gpus", [0.0, 1.0, "auto"])
def test_ranks_have_whole_gpus_or_none(gpus):
    assert Resources(workers=2, gpus_per_worker=gpus).workers == 2


def test_ranks_do_not_share_a_gpu():
    assert Resources(gpus_per_worker=0.5).gpus == 0.5
    with pytest.raises(ValidationError, match="one whole GPU per rank"):
        Resources(workers=2, gpus_per_worker=0.5)


def test_ranks_are_no_threads():
    assert (Resources().trials_as, Resources(trials_as="threads").workers) == ("processes", 1)
    with pytest.raises(ValidationError, match="threads are for trials of one worker"):
        Resources(workers=2, trials_as="threads")
