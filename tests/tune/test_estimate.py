"""How long a space will take."""

import pytest

from raysed.config.data_job import Features
from raysed.config.trial import Model, Schedule, Shares, Trial, TrialData
from raysed.config.trial_resources import Resources
from raysed.tune import estimate
from raysed.tune.estimate import Speed, measure, steps_per_epoch, trial_seconds, work_of

SPEED = Speed(train_s=0.01, score_s=0.002, epochs=3, cpu_share=1.0)


def trial_of(**change):
    data = TrialData(
        synthetic="s", unlabelled="u", weak="w", xvalid=("x", "y"), evaluation=("v", "e")
    )
    return Trial(data=data, **change)


def test_steps_of_the_published_training():
    clips = {"s": 2320, "u": 14412, "w": 1420, "x": 257, "y": 257, "v": 1168, "e": 692}
    work = work_of(trial_of(), clips)
    assert steps_per_epoch(trial_of(), clips) == 1420 // 6 == 236
    assert work.steps == 47_200
    assert work.scored_clips == 200 * 2 * 257 + 2 * (1168 + 692)
    fewer = trial_of(schedule=Schedule(epochs=3, steps_per_epoch=10))
    assert work_of(fewer, clips).steps == 30
    alone = trial_of(shares=Shares(synthetic=0, unlabelled=0, weak=24))
    assert steps_per_epoch(alone, clips) == 59


def test_ranks_share_the_steps_but_not_the_scoring():
    work = estimate.Work(steps=100, scored_clips=1000)
    one = trial_seconds(work, trial_of(), SPEED, Resources())
    two = trial_seconds(work, trial_of(), SPEED, Resources(workers=2))
    assert one == pytest.approx(100 * 24 * 0.01 + 1000 * 0.002)
    assert two == pytest.approx(100 * 12 * 0.01 + 1000 * 0.002)


def test_a_real_model_is_timed():
    features = Features(duration_s=1.0, n_mels=8, hop=510)
    model = Model(filters=(4, 4), pooling=((2, 4), (1, 2)), gru_units=4)
    small = trial_of(model=model, shares=Shares(synthetic=2, unlabelled=1, weak=1))
    speed = measure(small, features, 3, Resources())
    assert 0 < speed.train_s < 5 and 0 < speed.score_s < 5
    assert speed.epochs >= 1 and 0 < speed.cpu_share <= 1


def test_a_few_clips_stand_for_the_batch_on_cpus():
    published = Shares()
    few = estimate.timed_shares(published, 1, "cpu")
    assert (few.synthetic, few.unlabelled, few.weak) == (1, 2, 1)
    assert estimate.timed_shares(published, 1, "cuda") == published
    half = estimate.timed_shares(published, 2, "cuda")
    assert (half.synthetic, half.unlabelled, half.weak) == (3, 6, 3)
    alone = Shares(synthetic=0, unlabelled=0, weak=24)
    assert estimate.timed_shares(alone, 1, "cpu") == Shares(synthetic=0, unlabelled=0, weak=4)
    small = Shares(synthetic=1, unlabelled=0, weak=1)
    assert estimate.timed_shares(small, 1, "cpu") == small


def test_an_epoch_that_takes_the_time_is_not_repeated():
    slow, fast = {"train_s": 60.0, "xvalid_s": 1.0}, {"train_s": 0.1, "xvalid_s": 0.1}
    assert estimate._go_on([], 0.0)
    assert not estimate._go_on([slow], 61.0)
    assert estimate._go_on([fast], 0.2)
    assert not estimate._go_on([fast] * 6, 1.2)
    # The first warms up, where there are more.
    assert estimate.speed_of([slow, fast], 10, 2, 0.9).train_s == pytest.approx(0.01)
    assert estimate.speed_of([slow], 10, 2, 1.0).score_s == pytest.approx(0.5)
    # A tenth of the CPUs: idle, it would have taken a tenth of the time.
    assert estimate.speed_of([fast], 10, 2, 0.1).train_s == pytest.approx(0.001)


def test_sizes_decide_the_speed_and_nothing_else_does():
    other = trial_of(model=Model(dropout=0.1, glu_std=0.1), shares=Shares(weak=1))
    assert estimate.size_of(other) == estimate.size_of(trial_of())
    for change in ({"gru_units": 64}, {"pool": "max"}):
        assert estimate.size_of(trial_of(model=Model(**change))) != estimate.size_of(trial_of())
    assert estimate.size_of(trial_of(precision="bfloat16")) != estimate.size_of(trial_of())
