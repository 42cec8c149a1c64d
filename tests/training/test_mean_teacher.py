import math

import pytest
import torch

from raysed.config.trial import Consistency, Optimiser, Schedule, Shares, Teacher
from raysed.training.mean_teacher import MeanTeacher, Targets, loss_terms, ramp_up, step_values
from tests.training.tiny import trial


def test_ramp_is_the_published_one():
    assert ramp_up(0, 50) == pytest.approx(math.exp(-5))
    assert ramp_up(25, 50) == pytest.approx(math.exp(-1.25))
    assert ramp_up(50, 50) == ramp_up(1000, 50) == 1.0


def test_schedule_counts_steps():
    config = trial(
        optimiser=Optimiser(), consistency=Consistency(), schedule=Schedule(ramp_epochs=50)
    )
    values = step_values(config, step=5900, steps_per_epoch=236)
    assert values.learning_rate == pytest.approx(1e-3 * math.exp(-1.25))
    assert values.consistency_weight == pytest.approx(2 * math.exp(-1.25))
    assert values.ema_decay == 0.999


def test_schedule_without_ramps_is_constant():
    config = trial(optimiser=Optimiser(ramp=False), consistency=Consistency(weight=1.0, ramp=False))
    assert step_values(config, 0, 10).learning_rate == 1e-3
    assert step_values(config, 0, 10).consistency_weight == 1.0


def test_decay_counts_epochs_when_the_teacher_moves_per_epoch():
    config = trial(teacher=Teacher(ema_every="epoch"))
    assert step_values(config, step=29, steps_per_epoch=10).ema_decay == pytest.approx(1 - 1 / 3)


def test_first_update_copies_the_student_and_buffers_stay():
    networks = MeanTeacher(trial(), 2, seed=0)
    networks.teacher.blocks[0].norm.running_mean.fill_(7.0)
    before = [p.clone() for p in networks.teacher.parameters()]
    networks.update_teacher(step_values(trial(), 0, 1).ema_decay)
    pairs = list(zip(networks.teacher.parameters(), networks.student.parameters(), strict=True))
    assert all(torch.equal(t, s) for t, s in pairs)
    assert any(not torch.equal(t, b) for (t, _), b in zip(pairs, before, strict=True))
    assert (networks.teacher.blocks[0].norm.running_mean == 7.0).all()


def test_update_is_a_moving_average():
    networks = MeanTeacher(trial(), 2, seed=0)
    teacher = networks.teacher.strong.weight.clone()
    networks.update_teacher(0.9)
    expected = 0.9 * teacher + 0.1 * networks.student.strong.weight
    assert torch.allclose(networks.teacher.strong.weight, expected)


def test_losses_by_hand():
    student = (torch.tensor([[[0.5]], [[0.8]], [[0.1]]]), torch.tensor([[0.5], [0.2], [0.25]]))
    teacher = (torch.tensor([[[0.5]], [[0.6]], [[0.1]]]), torch.tensor([[0.5], [0.2], [0.55]]))
    shares = Shares(synthetic=1, unlabelled=1, weak=1)
    targets = Targets(torch.tensor([[[1.0]]]), torch.tensor([[0.0]]), shares)
    expected = [-math.log(0.75), -math.log(0.5), 0.04 / 3, 0.09 / 3]
    assert loss_terms(student, teacher, targets).tolist() == pytest.approx(expected)


def test_a_batch_without_a_subset_has_no_such_loss():
    scores = (torch.full((2, 3, 1), 0.3), torch.full((2, 1), 0.3))
    shares = Shares(synthetic=0, unlabelled=0, weak=2)
    terms = loss_terms(scores, scores, Targets(torch.zeros(0, 3, 1), torch.ones(2, 1), shares))
    assert terms.tolist() == pytest.approx([-math.log(0.3), 0, 0, 0])


def test_step_moves_the_student_alone():
    networks = MeanTeacher(trial(), 2, seed=0)
    student = networks.student.strong.weight.clone()
    teacher = [p.clone() for p in networks.teacher.parameters()]
    targets = Targets(torch.ones(2, 15, 2), torch.zeros(2, 2), trial().shares)
    mel = torch.randn(7, 63, 8)
    networks.step(mel, mel, targets, step_values(trial(), 0, 1))
    assert not torch.equal(networks.student.strong.weight, student)
    assert all(
        torch.equal(p, q) for p, q in zip(networks.teacher.parameters(), teacher, strict=True)
    )
    assert networks.teacher.blocks[0].norm.num_batches_tracked == 1
    assert networks.student.training and networks.teacher.training
