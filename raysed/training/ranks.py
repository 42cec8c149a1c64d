"""The processes (ranks) of one trial, and sums over all of them. A single process needs no process group."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

_TIMEOUT = timedelta(hours=2)
"""A rank that waits longer for the others fails. They wait while rank 0 scores the x-valid sets: four sets of
500 clips through both networks are the work of 40 training steps, which takes minutes to an hour on a CPU. A
dead rank is noticed sooner: gloo sees its closed connection, and for NCCL Ray sees that its process has
ended.
"""


@dataclass(frozen=True)
class Ranks:
    """Rank `rank` of `world` processes that train one trial together."""

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Rank 0 scores, reports and writes; the others only train."""
        return self.rank == 0

    def sum_(self, tensor: torch.Tensor) -> torch.Tensor:
        """Add up over all ranks, in place, without waiting for the device."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def broadcast(self, content: bytes | None) -> bytes | None:
        """Return rank 0's bytes on every rank (None stays None)."""
        if self.world == 1:
            return content
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        size = torch.tensor([-1 if content is None else len(content)], device=device)
        dist.broadcast(size, 0)
        if size.item() <= 0:
            return b"" if size.item() == 0 else None
        data = torch.empty(int(size.item()), dtype=torch.uint8, device=device)
        if content is not None:
            data.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(data, 0)
        return data.cpu().numpy().tobytes()


ALONE = Ranks()
"""A trial of one process."""


@contextmanager
def process_group(ranks: Ranks, address: str, device: str = "cpu") -> Iterator[None]:
    """Join the trial's process group at `address` (tcp://host:port or file://path): gloo, or NCCL on GPUs.

    With NCCL this process's GPU becomes `device`, or stays the first that it sees (Ray shows each rank only
    its own).
    """
    if ranks.world == 1:
        yield
        return
    backend, bound = ("nccl", _bind(device)) if device.startswith("cuda") else ("gloo", None)
    dist.init_process_group(
        backend,
        init_method=address,
        rank=ranks.rank,
        world_size=ranks.world,
        timeout=_TIMEOUT,
        device_id=bound,
    )
    try:
        yield
    finally:
        dist.destroy_process_group()


def _bind(device: str) -> torch.device:
    """Make `device` this process's GPU, which NCCL and `broadcast` use. Returns it with its index."""
    index = torch.device(device).index
    if index is None:
        index = torch.cuda.current_device()
    torch.cuda.set_device(index)
    return torch.device("cuda", index)
