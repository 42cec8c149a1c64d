"""The published mean-teacher step: losses, ramps, Adam, and the teacher's moving average.

Source: Turpault & Serizel 2020, section 4, and Tarvainen & Valpola 2017 (arXiv:1703.01780).
B clips = S synthetic, then unlabelled, then W weak; U output frames; K classes.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from raysed.config.trial import Trial
from raysed.model.crnn import CRNN, initialise
from raysed.training.keys import torch_generator


@dataclass(frozen=True)
class Targets:
    """Labels of one batch, on the training device."""

    strong_SUK: Tensor
    weak_WK: Tensor


@dataclass(frozen=True)
class StepValues:
    """What the schedule sets at one step."""

    learning_rate: float
    consistency_weight: float
    ema_decay: float


def ramp_up(step: int, length: int) -> float:
    """exp(-5 (1 - min(step, length) / length)^2): 0.0067 at 0, 1 from `length` on."""
    return math.exp(-5.0 * (1.0 - min(step, length) / length) ** 2)


def step_values(trial: Trial, step: int, steps_per_epoch: int) -> StepValues:
    """Learning rate, consistency weight and EMA decay at a global step (0 is the first)."""
    ramp = ramp_up(step, trial.schedule.ramp_epochs * steps_per_epoch)
    optimiser, consistency = trial.optimiser, trial.consistency
    updates = step if trial.teacher.ema_every == "step" else step // steps_per_epoch
    return StepValues(
        learning_rate=optimiser.learning_rate * (ramp if optimiser.ramp else 1.0),
        consistency_weight=consistency.weight * (ramp if consistency.ramp else 1.0),
        ema_decay=min(1.0 - 1.0 / (updates + 1), trial.teacher.ema_decay),
    )


class MeanTeacher:
    """Student, teacher and optimiser of one trial."""

    def __init__(self, trial: Trial, n_classes: int, seed: int, device: str = "cpu") -> None:
        self.trial = trial
        self.student = CRNN(trial.model, n_classes)
        self.teacher = CRNN(trial.model, n_classes)
        # The teacher is drawn on its own; its first update copies the student (decay 0).
        initialise(self.student, trial.model, torch_generator(seed, "student"))
        initialise(self.teacher, trial.model, torch_generator(seed, "teacher"))
        self.student.to(device)
        self.teacher.to(device).requires_grad_(False)
        self.optimiser = torch.optim.Adam(
            self.student.parameters(), lr=trial.optimiser.learning_rate, betas=trial.optimiser.betas
        )

    def step(
        self, student_BTF: Tensor, teacher_BTF: Tensor, targets: Targets, values: StepValues
    ) -> dict[str, Tensor]:
        """One optimiser step on normalised log-mels; returns the loss terms, detached.

        The teacher is left as it was: `update_teacher` moves it, per step or per epoch.
        """
        self.student.train()
        self.teacher.train()
        for group in self.optimiser.param_groups:
            group["lr"] = values.learning_rate
        with torch.no_grad():
            teacher_scores = self.teacher(teacher_BTF)
        terms = loss_terms(self.student(student_BTF), teacher_scores, targets)
        loss = (
            terms["weak"]
            + terms["strong"]
            + values.consistency_weight * (terms["consistency_strong"] + terms["consistency_weak"])
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return {"loss": loss.detach(), **{name: term.detach() for name, term in terms.items()}}

    def update_teacher(self, decay: float) -> None:
        """teacher = decay * teacher + (1 - decay) * student: parameters only, BN buffers its own."""
        teacher: list[Tensor] = list(self.teacher.parameters())
        student: list[Tensor] = list(self.student.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(teacher, student, 1.0 - decay)

    def state(self) -> dict[str, dict]:
        """Everything that training changes."""
        return {
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state(self, state: dict[str, dict]) -> None:
        """Back to a `state`."""
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])
        self.optimiser.load_state_dict(state["optimiser"])


def loss_terms(
    student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor], targets: Targets
) -> dict[str, Tensor]:
    """Unweighted loss terms; a term whose clips the batch lacks is 0.

    BCE of the weak clips' clip scores and of the synthetic clips' frame scores; MSE between student and
    teacher over every clip of the batch.
    """
    strong_BUK, weak_BK = student
    n_synthetic, n_weak = len(targets.strong_SUK), len(targets.weak_WK)
    return {
        "weak": _bce(weak_BK[len(weak_BK) - n_weak :], targets.weak_WK),
        "strong": _bce(strong_BUK[:n_synthetic], targets.strong_SUK),
        "consistency_strong": F.mse_loss(strong_BUK, teacher[0]),
        "consistency_weak": F.mse_loss(weak_BK, teacher[1]),
    }


def _bce(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy, 0 without clips.

    torch's own stops the process (on a GPU, the whole device context) at a score that is not a number;
    the consistency terms still carry it into the loss, where training can name the batch.
    """
    if not len(scores):
        return scores.new_zeros(())
    return F.binary_cross_entropy(scores.nan_to_num(0.5), targets)
