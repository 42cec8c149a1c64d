"""The mean-teacher baseline's CRNN (Turpault & Serizel 2020, section 4).

Shapes: B clips, C channels, T frames, F bands, U output frames (T after time pooling), K classes.
"""

import torch
from torch import Tensor, nn

from raysed.config.trial import Model
from raysed.model.cpu.dropout import Dropout
from raysed.model.cpu.gru import GRU
from raysed.model.fast_block import fused
from raysed.model.fusion import Fusion, Stream


class GatedLinearUnit(nn.Module):
    """A linear layer over channels times the sigmoid of the input itself: the published gate has no
    projection.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, channels)

    def forward(self, x_BCTF: Tensor) -> Tensor:  # noqa: D102
        projected_BTFC = self.linear(x_BCTF.permute(0, 2, 3, 1))
        return projected_BTFC.permute(0, 3, 1, 2) * torch.sigmoid(x_BCTF)


class ConvBlock(nn.Module):
    """A block of convolution, batch norm, gated linear unit, dropout and pooling."""

    def __init__(
        self, in_channels: int, channels: int, pooling: tuple[int, int], config: Model
    ) -> None:
        super().__init__()
        self.config, self.pooling = config, pooling
        self.conv = nn.Conv2d(in_channels, channels, kernel_size=3, padding=1)
        self.norm = nn.BatchNorm2d(
            channels, eps=config.batchnorm_eps, momentum=config.batchnorm_momentum
        )
        self.glu = GatedLinearUnit(channels)
        self.dropout = Dropout(config.dropout)
        self.pool = {"average": nn.AvgPool2d, "max": nn.MaxPool2d}[config.pool](pooling)

    def forward(self, x_BCTF: Tensor) -> Tensor:  # noqa: D102
        found = fused(self, x_BCTF)
        return self.plain(x_BCTF) if found is None else found

    def plain(self, x_BCTF: Tensor) -> Tensor:
        """Compute the definition, one operation after the other: for what no fused block covers."""
        return self.pool(self.dropout(self.glu(self.norm(self.conv(x_BCTF)))))


class CRNN(nn.Module):
    """The network that gives strong scores (B, U, K) and weak scores (B, K) of normalised log-mels (B, T, F)."""

    def __init__(self, config: Model, n_classes: int) -> None:
        super().__init__()
        self.config = config
        channels = (1, *config.filters)
        self.blocks = nn.Sequential(
            *(
                ConvBlock(channels[i], channels[i + 1], pooling, config)
                for i, pooling in enumerate(config.pooling)
            )
        )
        self.fusion = None if config.embedding is None else Fusion(config, config.embedding)
        self.gru = GRU(
            config.filters[-1],
            config.gru_units,
            num_layers=config.gru_layers,
            bidirectional=True,
            batch_first=True,
        )
        self.dropout = Dropout(config.dropout)
        self.strong = nn.Linear(2 * config.gru_units, n_classes)
        self.attention = nn.Linear(2 * config.gru_units, n_classes)
        # Channels last: the gated units then read their channels contiguously, without a copy.
        for block in self.blocks:
            assert isinstance(block, ConvBlock)
            block.conv.weight.data = block.conv.weight.data.contiguous(
                memory_format=torch.channels_last
            )

    def forward(
        self,
        mel_BTF: Tensor,
        annotated_BK: Tensor | None = None,
        stream: Stream | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map normalised log-mels (B, T, F) to strong (B, U, K) and weak (B, K) scores in 0..1.

        Classes that a clip does not annotate (bool) have no part in the attention over classes. A network with
        `model.embedding` takes the rows of its encoder as `stream`.
        """
        x_BCU1 = self.blocks(mel_BTF.unsqueeze(1))
        if x_BCU1.shape[-1] != 1:
            raise ValueError(
                f"{mel_BTF.shape[-1]} mel bands leave {x_BCU1.shape[-1]} after pooling; expected 1"
            )
        x_BUC = x_BCU1.squeeze(-1).transpose(1, 2)
        if self.fusion is not None:
            if stream is None:
                raise ValueError("the network has model.embedding and was given no embeddings")
            x_BUC = self.fusion(x_BUC, stream)
        hidden_BUH = self.dropout(self.gru(x_BUC)[0])
        with torch.autocast(hidden_BUH.device.type, enabled=False):
            # Scores and losses need more than half precision gives.
            hidden_BUH = hidden_BUH.to(self.strong.weight.dtype)
            strong_BUK = torch.sigmoid(self.strong(hidden_BUH))
            axis = -1 if self.config.attention_axis == "class" else 1
            logits_BUK = self.attention(hidden_BUH)
            if annotated_BK is not None:
                least = torch.finfo(logits_BUK.dtype).min
                logits_BUK = logits_BUK.masked_fill(~annotated_BK.unsqueeze(1), least)
            attention_BUK = torch.softmax(logits_BUK, dim=axis).clamp(1e-7, 1)
            weak_BK = (strong_BUK * attention_BUK).sum(1) / attention_BUK.sum(1)
        return strong_BUK, weak_BK

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the published initial weights from `generator`, in place."""
        with torch.no_grad():
            for block in self.blocks:
                assert isinstance(block, ConvBlock)
                nn.init.xavier_uniform_(block.conv.weight, gain=2**0.5, generator=generator)
                assert block.conv.bias is not None
                block.conv.bias.zero_()
                nn.init.normal_(block.norm.weight, 1.0, 0.02, generator=generator)
                block.norm.bias.zero_()
                _draw_linear(block.glu.linear, self.config.glu_std, generator)
            bound = self.config.gru_units**-0.5
            for weight in self.gru.parameters():
                if weight.dim() > 1:
                    nn.init.orthogonal_(weight, generator=generator)
                else:  # torch's own default for GRU biases, which the published code leaves alone
                    nn.init.uniform_(weight, -bound, bound, generator=generator)
            _draw_linear(self.strong, 0.01, generator)
            _draw_linear(self.attention, 0.01, generator)
            if self.fusion is not None:
                self.fusion.initialise(generator)


def _draw_linear(linear: nn.Linear, std: float, generator: torch.Generator) -> None:
    nn.init.normal_(linear.weight, 0.0, std, generator=generator)
    linear.bias.zero_()
