"""The peer of the training step: the published step written plainly in eager PyTorch.

torch's own dropout, contiguous tensors, a loop over parameters for the moving average, one `.item()` per
meter as the published loop has them. Same networks, same losses, same optimiser.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raysed.config.trial import Trial
from raysed.model.cpu.dropout import Dropout
from raysed.model.crnn import CRNN, ConvBlock


def plain(network: CRNN) -> CRNN:
    """Return the network with torch's dropout and contiguous weights."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, Dropout):
                setattr(module, name, nn.Dropout(child.p))
    for block in network.blocks:
        assert isinstance(block, ConvBlock)
        block.conv.weight.data = block.conv.weight.data.contiguous()
        block.forward = block.plain  # type: ignore[method-assign]
    # The same weights, run by torch.
    network.gru.__class__ = nn.GRU  # type: ignore[assignment]
    return network


class PlainStep:
    """Student, teacher and Adam, one step at a time."""

    def __init__(self, trial: Trial, n_classes: int) -> None:
        self.student = plain(CRNN(trial.model, n_classes)).train()
        self.teacher = plain(CRNN(trial.model, n_classes)).train()
        for parameter in self.teacher.parameters():
            parameter.detach_()
        self.optimiser = torch.optim.Adam(self.student.parameters(), lr=1e-3, foreach=False)
        self.meters: list[float] = []

    def step(self, student_BTF: Tensor, teacher_BTF: Tensor, strong: Tensor, weak: Tensor) -> None:
        """Take a step: losses, backward, Adam, moving average (decay 0.99)."""
        teacher_strong, teacher_weak = (scores.detach() for scores in self.teacher(teacher_BTF))
        strong_BUK, weak_BK = self.student(student_BTF)
        terms = [
            F.binary_cross_entropy(weak_BK[-len(weak) :], weak),
            F.binary_cross_entropy(strong_BUK[: len(strong)], strong),
            F.mse_loss(strong_BUK, teacher_strong),
            F.mse_loss(weak_BK, teacher_weak),
        ]
        loss = terms[0] + terms[1] + terms[2] + terms[3]
        self.meters = [term.item() for term in (*terms, loss)]
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        for ours, theirs in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            ours.data.mul_(0.99).add_(theirs.data, alpha=0.01)
