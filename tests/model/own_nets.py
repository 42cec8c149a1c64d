"""Networks as a user would write them."""

import torch
from torch import nn

from raysed.model.crnn import CRNN


class Frames(nn.Module):
    """A linear layer on each output frame's mean log-mel; a clip scores as its best frame."""

    def __init__(self, config, n_classes, bands=8, scale=1.0):
        super().__init__()
        self.time_pooling, self.scale = config.time_pooling, scale
        self.linear = nn.Linear(bands, n_classes)

    def initialise(self, generator):
        with torch.no_grad():
            nn.init.normal_(self.linear.weight, 0.0, 1.0, generator=generator)
            self.linear.bias.zero_()

    def forward(self, mel_BTF, annotated_BK=None):
        mel_BFU = nn.functional.avg_pool1d(mel_BTF.transpose(1, 2), self.time_pooling)
        strong_BUK = torch.sigmoid(self.scale * self.linear(mel_BFU.transpose(1, 2)))
        return strong_BUK, strong_BUK.amax(1)


class OneScore(Frames):
    def forward(self, mel_BTF, annotated_BK=None):  # pyrefly: ignore
        return super().forward(mel_BTF)[0]


class TooFine(Frames):
    def forward(self, mel_BTF, annotated_BK=None):
        strong_BUK, weak_BK = super().forward(mel_BTF)
        return strong_BUK.repeat_interleave(2, 1), weak_BK


class Logits(Frames):
    def forward(self, mel_BTF, annotated_BK=None):
        strong_BUK, weak_BK = super().forward(mel_BTF)
        return strong_BUK + 1.0, weak_BK


class Certain(Frames):
    def forward(self, mel_BTF, annotated_BK=None):
        strong_BUK, weak_BK = super().forward(mel_BTF)
        return strong_BUK, torch.full_like(weak_BK, 1 + 2**-23)


class Unseeded(nn.Module):
    def __init__(self, config, n_classes):
        super().__init__()


class Broken(Frames):
    """Reads a key that its configuration has not."""

    def __init__(self, config, n_classes):
        super().__init__(config, n_classes)
        self.units = config.model_dump()["units"]


def no_network(config, n_classes):
    return Frames(config, n_classes)


class OwnCRNN(CRNN):
    """Takes an encoder's rows, as the CRNN does."""


class Dropped(Frames):
    """Drops bands by torch's own dropout, which draws from torch's global generator."""

    def forward(self, mel_BTF, annotated_BK=None):
        return super().forward(nn.functional.dropout(mel_BTF, 0.25, self.training), annotated_BK)
