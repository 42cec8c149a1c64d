import itertools
import math

import pytest
import torch

from raysed.config.trial import Consistency, Optimiser, Schedule, Shares, Teacher
from raysed.training.batches import LabelledPairs
from raysed.training.mean_teacher import (
    MeanTeacher,
    Targets,
    cosine_decay,
    loss_terms,
    ramp_up,
    step_values,
)
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


def test_a_score_above_one_by_rounding_counts_as_one():
    # An own network's softmax over time adds up to 1 within rounding, and so does what it averages.
    a_hair = 1 + 2**-23
    weak = torch.tensor([[a_hair], [0.5]], requires_grad=True)
    scores, shares = (torch.full((2, 3, 1), 0.3), weak), Shares(synthetic=0, unlabelled=0, weak=2)
    annotated, pairs = torch.ones(2, 1, dtype=torch.bool), LabelledPairs(strong=0, weak=2, total=2)
    for more in ({}, {"annotated_BK": annotated, "pairs": pairs}):
        targets = Targets(torch.zeros(0, 3, 1), torch.ones(2, 1), shares, **more)
        terms = loss_terms(scores, scores, targets)
        assert terms.tolist() == pytest.approx([-math.log(0.5) / 2, 0, 0, 0])
        (gradient,) = torch.autograd.grad(terms[0], weak)
        assert gradient.flatten().tolist() == pytest.approx([0, -1])
    with torch.no_grad():
        weak[0] = 1.5
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        loss_terms(scores, scores, targets)


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


# --- the recipe of later years ----------------------------------------------------------------------------


def test_cosine_by_hand():
    assert [cosine_decay(step, 10, 20) for step in (0, 10)] == [1.0, 1.0]
    assert cosine_decay(15, 10, 20) == pytest.approx(0.5)
    assert cosine_decay(20, 10, 20) == pytest.approx(0.0)
    assert cosine_decay(19, 10, 20) == pytest.approx(0.5 * (1 + math.cos(0.9 * math.pi)))
    assert cosine_decay(19, 20, 20) == cosine_decay(19, 50, 20) == 1.0


def test_the_cosine_begins_where_the_ramp_ends():
    config = trial(
        optimiser=Optimiser(decay="cosine"),
        consistency=Consistency(),
        schedule=Schedule(epochs=6, ramp_epochs=2),
    )
    plain = config.model_copy(update={"optimiser": Optimiser()})
    rates = [step_values(config, step, 10).learning_rate for step in range(60)]
    for step in range(21):
        assert rates[step] == step_values(plain, step, 10).learning_rate
    assert rates[40] == pytest.approx(0.5e-3)
    assert 0 < rates[59] < 2e-6
    assert all(a > b for a, b in itertools.pairwise(rates[20:]))
    at_the_end = step_values(config, 59, 10)
    assert at_the_end.consistency_weight == 2.0, "the consistency keeps its ramp"
    flat = trial(
        optimiser=Optimiser(ramp=False, decay="cosine"), schedule=Schedule(epochs=6, ramp_epochs=2)
    )
    assert step_values(flat, 30, 10).learning_rate == pytest.approx(0.5e-3)


def one_step(gradient=True, **optimiser):
    """The student's weights before and after a step; without a gradient, whose loss is constant."""
    networks = MeanTeacher(trial(optimiser=Optimiser(ramp=False, **optimiser)), 2, seed=0)
    before = [p.detach().clone() for p in networks.student.parameters()]
    if not gradient:
        for parameter in networks.student.parameters():
            parameter.register_hook(torch.zeros_like)
    targets = Targets(torch.ones(2, 15, 2), torch.zeros(2, 2), trial().shares)
    torch.manual_seed(0)
    mel = torch.randn(7, 63, 8, generator=torch.Generator().manual_seed(1))
    values = step_values(networks.trial, 0, 1)
    networks.step(mel, mel, targets, values)
    return before, networks


def test_adamw_takes_the_decay_off_the_weights():
    before, networks = one_step(
        gradient=False, algorithm="adamw", learning_rate=0.1, weight_decay=0.2
    )
    for old, new in zip(before, networks.student.parameters(), strict=True):
        assert torch.allclose(new, old * (1 - 0.1 * 0.2))


def test_adam_adds_the_decay_to_the_gradient():
    before, networks = one_step(gradient=False, learning_rate=0.1, weight_decay=0.2)
    for old, new in zip(before, networks.student.parameters(), strict=True):
        # Adam's first step is the learning rate in the direction of the gradient, here 0.2 times the weight.
        moved = old.abs() > 1e-5
        assert torch.allclose(new[moved], (old - 0.1 * old.sign())[moved], atol=1e-4)


def test_gradients_are_scaled_down_to_the_norm():
    def norm(networks):
        return torch.stack([p.grad.norm() for p in networks.student.parameters()]).norm().item()

    _, free = one_step()
    _, clipped = one_step(clip_norm=0.01)
    _, loose = one_step(clip_norm=1e6)
    assert norm(free) > 0.02 and norm(clipped) == pytest.approx(0.01, rel=1e-3)
    for a, b, c in zip(*(n.student.parameters() for n in (free, clipped, loose)), strict=True):
        assert torch.equal(a.grad, c.grad)
        assert torch.allclose(a.grad * (0.01 / norm(free)), b.grad, rtol=1e-3)


def test_class_weights_are_factors_of_the_consistency_alone():
    random = torch.Generator().manual_seed(0)
    student = (torch.rand(3, 4, 2, generator=random), torch.rand(3, 2, generator=random))
    teacher = (torch.rand(3, 4, 2, generator=random), torch.rand(3, 2, generator=random))
    shares = Shares(synthetic=1, unlabelled=1, weak=1)
    labels = (torch.ones(1, 4, 2), torch.zeros(1, 2), shares)
    plain = loss_terms(student, teacher, Targets(*labels))
    weights_K = torch.tensor([0.5, 3.0])
    weighted = loss_terms(student, teacher, Targets(*labels, class_weights_K=weights_K))
    assert torch.equal(weighted[:2], plain[:2])
    strong_K, weak_K = (
        ((s - t) ** 2).flatten(0, -2).mean(0) for s, t in zip(student, teacher, strict=True)
    )
    assert weighted[2].item() == pytest.approx((strong_K * weights_K).mean().item())
    assert weighted[3].item() == pytest.approx((weak_K * weights_K).mean().item())
    ones = loss_terms(student, teacher, Targets(*labels, class_weights_K=torch.ones(2)))
    assert torch.allclose(ones, plain)


def test_class_weights_leave_masked_classes_out():
    student = (torch.full((1, 1, 2), 0.9), torch.full((1, 2), 0.9))
    teacher = (torch.full((1, 1, 2), 0.4), torch.full((1, 2), 0.4))
    shares = Shares(synthetic=1, unlabelled=0, weak=0)
    known, pairs = torch.tensor([[True, False]]), LabelledPairs(strong=1, weak=0, total=1)
    weights_K = torch.tensor([2.0, 1000.0])
    targets = Targets(torch.ones(1, 1, 2), torch.zeros(0, 2), shares, known, pairs, weights_K)
    assert loss_terms(student, teacher, targets)[2:].tolist() == pytest.approx([0.5, 0.5])
