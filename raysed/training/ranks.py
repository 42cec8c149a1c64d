"""The processes of one trial: who am I, and sums over all of us. One process needs no process group."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

_TIMEOUT = timedelta(minutes=15)
"""A rank that waits longer for the others fails: x-valid scoring by rank 0 has to fit in."""


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
        """Sum over all ranks, in place, without waiting for the device."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def broadcast(self, content: bytes | None) -> bytes | None:
        """Rank 0's bytes on every rank (None stays None)."""
        if self.world == 1:
            return content
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        size = torch.tensor([-1 if content is None else len(content)], device=device)
        dist.broadcast(size, 0)
        if size.item() < 0:
            return None
        data = torch.empty(int(size.item()), dtype=torch.uint8, device=device)
        if content is not None:
            data.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        dist.broadcast(data, 0)
        return data.cpu().numpy().tobytes()


ALONE = Ranks()
"""A trial of one process."""


@contextmanager
def process_group(ranks: Ranks, address: str, device: str = "cpu") -> Iterator[None]:
    """Join the trial's process group at `address` (tcp://host:port or file://path): gloo, or NCCL on GPUs."""
    if ranks.world == 1:
        yield
        return
    dist.init_process_group(
        "nccl" if device.startswith("cuda") else "gloo",
        init_method=address,
        rank=ranks.rank,
        world_size=ranks.world,
        timeout=_TIMEOUT,
    )
    try:
        yield
    finally:
        dist.destroy_process_group()
