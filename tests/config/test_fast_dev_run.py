"""The shortest training of every cell."""

from raysed.config.fast_dev_run import fewest_steps
from raysed.config.space import read_space
from tests.paths import ROOT


def test_two_epochs_of_two_steps_of_every_training():
    whole = read_space(ROOT / "tune_spaces/demo.yaml")
    short = fewest_steps(whole)
    assert len(short.trainings) == len(whole.trainings) == 4
    for training in short.trainings:
        assert (training.trial.schedule.epochs, training.trial.schedule.steps_per_epoch) == (2, 2)
    assert short.space.seeds == (0,) and short.space.bootstrap_draws == 100
    # It never shares a folder's trials with the real run.
    assert not {t.id for t in short.trainings} & {t.id for t in whole.trainings}


def test_a_search_becomes_its_drawn_cells():
    short = fewest_steps(read_space(ROOT / "tune_spaces/search.yaml", unset=[]))
    assert short.space.search is None and len(short.space.cells) > 1
