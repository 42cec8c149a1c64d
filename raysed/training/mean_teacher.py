"""The published mean-teacher step: losses, ramps, Adam, and the teacher's moving average.

Source: Turpault & Serizel 2020, section 4, and Tarvainen & Valpola 2017 (arXiv:1703.01780).
B clips = S synthetic, then unlabelled, then W weak; U output frames; K classes.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from raysed.config.trial import Model, Shares, Trial
from raysed.draws import draws
from raysed.model.fusion import Stream
from raysed.model.network import make_network
from raysed.model.own_network import ROUNDING
from raysed.model.sync_norm import synchronise_norms
from raysed.training.adam import Adam, AdamW
from raysed.training.batches import LabelledPairs
from raysed.training.keys import torch_generator
from raysed.training.precision import autocast
from raysed.training.ranks import ALONE, Ranks
from raysed.training.tuned_network import Audio, TrainedEncoder, TunedNetwork, learning_rates

TERMS = ("loss", "weak", "strong", "consistency_strong", "consistency_weak")
"""Names of what `MeanTeacher.step` returns: the loss, and its terms without their weights."""


def labelled_loss(terms: Mapping[str, float]) -> float:
    """Return the part of a loss that comes from labels; that of consistency changes with its weight."""
    return terms["strong"] + terms["weak"]


@dataclass(frozen=True)
class Targets:
    """Labels of a rank's clips, on the training device, and the global batch's number of clips."""

    strong_SUK: Tensor
    weak_WK: Tensor
    shares: Shares
    annotated_BK: Tensor | None = None
    """The classes that each clip's set labels (bool); None where every set labels all."""
    pairs: LabelledPairs | None = None
    """The global batch's pairs of clip and annotated class; None where every set labels all."""
    class_weights_K: Tensor | None = None
    """The factor of each class in the consistency terms; None where all have 1."""
    stream: Stream | None = None
    """The rows of an encoder, which both networks take; None where they take none."""
    audio: Audio | None = None
    """The waveforms, for the encoders within the networks; None where they have none."""

    def network_arguments(self) -> dict[str, Any]:
        """Return what the networks take beside their log-mels."""
        given = {
            "annotated_BK": self.annotated_BK,
            "stream": self.stream,
            "audio": self.audio,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class StepValues:
    """The values that the schedule sets at one step."""

    learning_rate: float
    consistency_weight: float
    ema_decay: float


def ramp_up(step: int, length: int) -> float:
    """Return exp(-5 (1 - min(step, length) / length)^2): 0.0067 at 0, 1 from `length` on."""
    return math.exp(-5.0 * (1.0 - min(step, length) / length) ** 2)


def cosine_decay(step: int, start: int, steps: int) -> float:
    """Return 1 up to `start`, then half a cosine that reaches 0 at `steps`, the step after the last."""
    if step <= start or start >= steps:
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * (step - start) / (steps - start)))


def step_values(trial: Trial, step: int, steps_per_epoch: int) -> StepValues:
    """Return learning rate, consistency weight and EMA decay at a global step (0 is the first)."""
    ramp_steps = trial.schedule.ramp_epochs * steps_per_epoch
    ramp = ramp_up(step, ramp_steps)
    optimiser, consistency = trial.optimiser, trial.consistency
    rate = optimiser.learning_rate * (ramp if optimiser.ramp else 1.0)
    if optimiser.decay == "cosine":
        start = ramp_steps if optimiser.ramp else 0
        rate *= cosine_decay(step, start, trial.schedule.epochs * steps_per_epoch)
    updates = step if trial.teacher.ema_every == "step" else step // steps_per_epoch
    return StepValues(
        learning_rate=rate,
        consistency_weight=consistency.weight * (ramp if consistency.ramp else 1.0),
        ema_decay=min(1.0 - 1.0 / (updates + 1), trial.teacher.ema_decay),
    )


class MeanTeacher:
    """Student, teacher and optimiser of one trial, on one or more ranks."""

    def __init__(
        self,
        trial: Trial,
        n_classes: int,
        seed: int,
        device: str = "cpu",
        ranks: Ranks = ALONE,
        encoder: Callable[[], TrainedEncoder] | None = None,
    ) -> None:
        self.trial, self.ranks = trial, ranks

        def made(which: str) -> nn.Module:
            network = make_network(trial.model, n_classes, torch_generator(seed, which))
            return network if encoder is None else tuned(network, encoder(), trial.model)

        # The teacher has its own initial weights; its first update copies the student (decay 0).
        self.student, self.teacher = (made(which).to(device) for which in ("student", "teacher"))
        self.teacher.requires_grad_(False)
        # With fused Adam, a GPU's float16 scaler need not ask the host whether to step.
        fused = device.startswith("cuda")
        algorithm = {"adam": Adam, "adamw": AdamW}
        groups, self.rate_shares = parameter_groups(self.student, trial)
        self.optimiser = algorithm[trial.optimiser.algorithm](
            groups,
            lr=trial.optimiser.learning_rate,
            betas=trial.optimiser.betas,
            weight_decay=trial.optimiser.weight_decay,
            fused=fused,
            foreach=not fused,
        )
        # float16 gradients underflow without a scale; the other precisions pass through.
        self.scaler = torch.amp.GradScaler(
            torch.device(device).type, enabled=trial.precision == "float16"
        )
        self._forward: nn.Module = self.student
        if ranks.world > 1:
            synchronise_norms(self.student, device)
            synchronise_norms(self.teacher, device)
            # Buffers are equal on all ranks already: their statistics are those of the global batch.
            self._forward = DistributedDataParallel(self.student, broadcast_buffers=False)

    def step(
        self,
        student_BTF: Tensor,
        teacher_BTF: Tensor,
        targets: Targets,
        values: StepValues,
        seed: int | None = None,
    ) -> Tensor:
        """Take one optimiser step on normalised log-mels; return TERMS of the global batch, on the device.

        Dropout draws from torch's global generators, set to `seed` where it is given. The teacher is left as it was; `update_teacher` moves it, after each step or each epoch.
        """
        self.student.train()
        self.teacher.train()
        for group, share in zip(self.optimiser.param_groups, self.rate_shares, strict=True):
            group["lr"] = values.learning_rate * share
        with draws(seed), autocast(self.trial.precision, student_BTF.device.type):
            given = targets.network_arguments()
            with torch.no_grad():
                teacher_scores = self.teacher(teacher_BTF, **given)
            student_scores = self._forward(student_BTF, **given)
        terms_4 = loss_terms(student_scores, teacher_scores, targets)
        loss = terms_4[:2].sum() + values.consistency_weight * terms_4[2:].sum()
        self.optimiser.zero_grad(set_to_none=True)
        # Ranks average their gradients; each holds its share of a sum over the global batch.
        self.scaler.scale(loss * self.ranks.world).backward()
        if self.trial.optimiser.clip_norm is not None:
            # The norm is that of the whole gradient, which all ranks hold; on the device, so that nothing waits.
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.student.parameters(), self.trial.optimiser.clip_norm)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return self.ranks.sum_(torch.cat([loss.detach().view(1), terms_4.detach()]))

    def update_teacher(self, decay: float) -> None:
        """Set teacher = decay * teacher + (1 - decay) * student for parameters; the teacher keeps its own BN
        buffers.
        """
        teacher: list[Tensor] = list(self.teacher.parameters())
        student: list[Tensor] = list(self.student.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(teacher, student, 1.0 - decay)

    def state(self) -> dict[str, dict]:
        """Return everything that training changes."""
        return {
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state(self, state: dict[str, dict]) -> None:
        """Restore what `state` returned."""
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])


def tuned(network: nn.Module, encoder: TrainedEncoder, model: Model) -> TunedNetwork:
    """Return a network with the encoder that learns with it."""
    assert model.embedding is not None and model.embedding.finetune is not None
    return TunedNetwork(network, encoder, model.embedding.finetune)


def parameter_groups(
    student: nn.Module, trial: Trial
) -> tuple[list[dict[str, list[nn.Parameter]]], list[float]]:
    """Return the optimiser's groups of parameters, and the learning rate of each as a share of the trial's."""
    if not isinstance(student, TunedNetwork):
        return [{"params": list(student.parameters())}], [1.0]
    fusion = trial.model.embedding
    assert fusion is not None and fusion.finetune is not None
    rates = learning_rates(student, fusion.finetune)
    groups = [list(student.network.parameters()), *rates.values()]
    shares = [1.0, *(rate / trial.optimiser.learning_rate for rate in rates)]
    return [{"params": group} for group in groups], shares


def loss_terms(
    student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor], targets: Targets
) -> Tensor:
    """Return TERMS without the loss, unweighted: this rank's part of each mean over the global batch.

    They are the BCE of the weak clips' clip scores and of the synthetic clips' frame scores, and the MSE
    between student and teacher over every clip. A term whose clips the batch lacks is 0. Outputs of classes that
    a clip's set does not annotate are in no term, and no mean counts them. Class weights are factors of the squared
    differences; the means still divide by the number of outputs.
    """
    if targets.annotated_BK is not None:
        return _masked_terms(student, teacher, targets)
    strong_BUK, weak_BK = student
    n_synthetic, n_weak = len(targets.strong_SUK), len(targets.weak_WK)
    shares = targets.shares
    return torch.stack(
        [
            _bce(weak_BK[len(weak_BK) - n_weak :], targets.weak_WK, shares.weak),
            _bce(strong_BUK[:n_synthetic], targets.strong_SUK, shares.labelled),
            _squares(strong_BUK, teacher[0], targets) / (shares.total * strong_BUK[0].numel()),
            _squares(weak_BK, teacher[1], targets) / (shares.total * weak_BK[0].numel()),
        ]
    )


def _masked_terms(
    student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor], targets: Targets
) -> Tensor:
    """Return `loss_terms` over annotated outputs alone; the gradient of any other is exactly 0."""
    assert targets.annotated_BK is not None and targets.pairs is not None
    masked_BK, pairs = ~targets.annotated_BK, targets.pairs
    masked_B1K, frames = masked_BK.unsqueeze(1), student[0].shape[1]
    # A masked output is 0 in student, teacher and target: it adds nothing, and no gradient goes through.
    strong = [scores.masked_fill(masked_B1K, 0.0) for scores in (student[0], teacher[0])]
    weak = [scores.masked_fill(masked_BK, 0.0) for scores in (student[1], teacher[1])]
    n_strong, first_weak = len(targets.strong_SUK), len(masked_BK) - len(targets.weak_WK)
    strong_SUK = targets.strong_SUK.masked_fill(masked_B1K[:n_strong], 0.0)
    weak_WK = targets.weak_WK.masked_fill(masked_BK[first_weak:], 0.0)
    return torch.stack(
        [
            _bce_sum(weak[0][first_weak:], weak_WK) / max(pairs.weak, 1),
            _bce_sum(strong[0][:n_strong], strong_SUK) / max(pairs.strong * frames, 1),
            _squares(strong[0], strong[1], targets) / max(pairs.total * frames, 1),
            _squares(weak[0], weak[1], targets) / max(pairs.total, 1),
        ]
    )


def _squares(student: Tensor, teacher: Tensor, targets: Targets) -> Tensor:
    """Return the sum of the squared differences (..., K), each times its class's weight."""
    if targets.class_weights_K is None:
        return F.mse_loss(student, teacher, reduction="sum")
    return ((student - teacher).square() * targets.class_weights_K).sum()


def _bce_sum(scores: Tensor, targets: Tensor) -> Tensor:
    if not len(scores):
        return scores.sum()  # 0, and still part of the graph
    within = torch.where(scores <= 1 + ROUNDING, scores.clamp(max=1.0), scores.nan_to_num(0.5))
    return F.binary_cross_entropy(within, targets, reduction="sum")


def _bce(scores: Tensor, targets: Tensor, n_global: int) -> Tensor:
    """Return the sum of binary cross-entropies divided by the global batch's number of values, 0 without
    clips.

    torch's own stops the process (on a GPU, the whole device context) at a score that is not a number, which the
    consistency terms still carry into the loss, where training can name the batch, and at one that rounding put above 1.
    """
    if not len(scores):
        return scores.sum()
    return _bce_sum(scores, targets) / (n_global * targets[0].numel())
