"""The stored looks of a run whose seeds grow."""

from types import SimpleNamespace

import pytest

from raysed.run.seed_looks import Look, SeedLooks, read_looks, seeds_of_trainings
from raysed.storage.folder import Folder


def look(seeds, *further):
    return Look(seeds=seeds, spent=0.01, families=(), questions=(), further=further)


@pytest.fixture
def run(tmp_path):
    return Folder(str(tmp_path))


def test_looks_are_read_as_they_were_written(run):
    assert read_looks(run, (3, 6)) == SeedLooks(planned=(3, 6))
    stored = SeedLooks(planned=(3, 6), done=(look(3, "a"),))
    stored.write(run)
    assert read_looks(run, (3, 6)) == stored


@pytest.mark.parametrize("planned", [(3, 8), ()])
def test_looks_at_other_seeds_are_refused(run, planned):
    SeedLooks(planned=(3, 6), done=(look(3, "a"),)).write(run)
    with pytest.raises(ValueError, match=r"looks after 3, 6 seeds, and the space now has"):
        read_looks(run, planned)


def test_a_training_has_the_seeds_of_the_rounds_that_it_was_in():
    looks = SeedLooks(planned=(3, 6, 10), done=(look(3, "a", "b"), look(6, "b")))
    assert [looks.seeds_of(name) for name in "abc"] == [6, 10, 3]
    assert not looks.over
    assert SeedLooks(planned=(3, 6), done=(look(3),)).over
    assert not SeedLooks(planned=(3, 6)).over


def test_the_seeds_of_all_trainings(run):
    trainings = tuple(SimpleNamespace(id=name) for name in "ab")
    grown = SimpleNamespace(
        trainings=trainings, space=SimpleNamespace(all_seeds=tuple(range(6)), looks=(3, 6))
    )
    SeedLooks(planned=(3, 6), done=(look(3, "b"),)).write(run)
    assert seeds_of_trainings(grown, run) == {"a": (0, 1, 2), "b": (0, 1, 2, 3, 4, 5)}
