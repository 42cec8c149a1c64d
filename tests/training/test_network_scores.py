"""Scores of a set by a network, in the set's order and a few clips at a time."""

import numpy as np
import pytest
import torch
from torch import nn

from raysed.training.inputs import Normaliser, log_mel_of
from raysed.training.network_scores import score_set
from tests.training.tiny import CLASSES, feature_set, trial

FRAME_S = 4 * 255 / 16000


class FirstBands(nn.Module):
    """Scores of a clip are its first two bands, every fourth frame; remembers how many clips came at once."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.batches: list[int] = []

    def forward(self, mel_BTF: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        assert not self.training and not torch.is_grad_enabled()
        self.batches.append(len(mel_BTF))
        strong_BUK = torch.sigmoid(self.scale * mel_BTF[:, ::4, :2])
        return strong_BUK, strong_BUK.amax(1)


def test_every_clip_is_scored_in_the_sets_order() -> None:
    data, model = feature_set("validation", 70), FirstBands().train()
    normaliser = Normaliser(torch.full((8,), -10.0), torch.full((8,), 5.0))
    scores = score_set(model, data, normaliser, trial())
    assert model.batches == [32, 32, 6]
    assert (scores.filenames, scores.classes) == (data.filenames, CLASSES)
    assert scores.frame_s == pytest.approx(FRAME_S)
    for row in (0, 31, 32, 69):
        mel_TF = (log_mel_of(data, np.array([row]), "cpu")[0] + 10) / 5
        expected_UK = torch.sigmoid(mel_TF[::4, :2])
        np.testing.assert_array_equal(scores.scores_NUK[row], expected_UK.half().numpy())
        np.testing.assert_array_equal(scores.weak_NK[row], expected_UK.amax(0).half().numpy())
