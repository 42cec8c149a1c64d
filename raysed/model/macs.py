"""Multiply-accumulate operations (MACs) of a network's forward pass, as the DCASE challenge counts them.

Counted are the products of convolutions, linear and recurrent layers (torch's formulas; two of its operations are one
MAC), and as THOP does, which the challenge asks for: 4 for each value that is normalised, 1 for each value that
pooling leaves, 13 for each unit, direction and step of a GRU. Not counted: activations, gates' products, dropout, softmax.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts
from raysed.config.trial import Model
from raysed.draws import draws
from raysed.model.fusion import Stream
from raysed.model.network import make_network

SECONDS = 10.0
"""The challenge counts for 10 s of audio."""
_NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)
_POOLS = (nn.AvgPool2d, nn.AvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool1d)


def macs_of_10_s(
    config: Model, features: Features, n_classes: int, encoder: EncoderFacts | None = None
) -> int:
    """Return the MACs of a model for 10 s of audio, counted on the CPU; torch's global generator is left as it was.

    Of an encoder, whose rows are stored, nothing is counted but what the network does with them.
    """
    frames = features.model_copy(update={"duration_s": SECONDS}).n_frames
    rows = None
    if encoder is not None and config.embedding is not None:
        frame_s = config.time_pooling * features.hop / features.sample_rate_hz
        rows = encoder.rows(SECONDS), encoder.width, encoder.row_s / frame_s
    # The code of a user's own network may have changed since.
    count = _counted if config.own is None else _counted.__wrapped__
    return count(config, (frames, features.n_mels), n_classes, rows)


@lru_cache(maxsize=32)
def _counted(
    config: Model, mel_TF: tuple[int, int], n_classes: int, rows: tuple[int, int, float] | None
) -> int:
    """Count once in a process, which may train many trials, for a shape of mels and (rows, width, frames a row) of an encoder."""
    given: list[Any] = [torch.zeros(1, *mel_TF)]
    if rows is not None:
        count, width, frames = rows
        given += [None, Stream(torch.zeros(1, count, width), frames)]
    with draws(), torch.random.fork_rng(devices=[]):
        return macs(make_network(config, n_classes), *given)


def macs(network: nn.Module, *inputs: Any) -> int:
    """Return the MACs of a forward pass in evaluation."""
    network.eval()
    products = _Products()
    # With gradients, since fused blocks hide their operations and are used without (raysed.model.fast_block).
    with torch.enable_grad(), _elementwise(network) as others, products:
        network(*inputs)
    return products.operations // 2 + sum(others)


class _Products(TorchDispatchMode):
    """Within, the operations of products are added up, as torch's FlopCounterMode does, which imports torch's compiler for it:
    1.3 CPU seconds of every trial.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        with self:
            # An operation that is made of others is counted as these.
            made = func.decompose(*args, **kwargs)
        if made is not NotImplemented:
            return made
        made = func(*args, **kwargs)
        if formula := flop_registry.get(func._overloadpacket):
            self.operations += formula(*args, **kwargs, out_val=made)
        return made


@contextmanager
def _elementwise(network: nn.Module) -> Iterator[list[int]]:
    """Yield a list that gets what THOP counts beside products."""
    found: list[int] = []

    def count(
        module: nn.Module, given: tuple[Tensor, ...], made: Tensor | tuple[Tensor, ...]
    ) -> None:
        if isinstance(module, _NORMS):
            found.append(4 * given[0].numel())
        elif isinstance(module, _POOLS):
            assert isinstance(made, Tensor)
            found.append(made.numel())
        elif isinstance(module, nn.GRU):
            steps = given[0].shape[:-1].numel() * module.num_layers * (1 + module.bidirectional)
            found.append(13 * module.hidden_size * steps)

    kinds = (*_NORMS, *_POOLS, nn.GRU)
    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, kinds)]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
