"""One rank of test_sync_norm.py: `python -m tests.model.norm_worker RANK WORLD ADDRESS FOLDER`."""

import sys
from pathlib import Path

import torch

from raysed.model.sync_norm import AllReducedBatchNorm
from raysed.training.ranks import Ranks, process_group

if __name__ == "__main__":
    rank, world, address, folder = sys.argv[1:]
    torch.set_num_threads(1)
    path = Path(folder)
    given = torch.load(path / "given.pt", weights_only=True)
    with process_group(Ranks(int(rank), int(world)), address):
        norm = AllReducedBatchNorm(3, momentum=0.3).double()
        norm.load_state_dict(given["state"])
        # Unequal shares: each rank's own clips, strided.
        x = given["x"][int(rank) :: int(world)].clone().requires_grad_()
        out = norm(x)
        (out * given["weights"][int(rank) :: int(world)]).sum().backward()
        torch.save(
            {"out": out.detach(), "x_grad": x.grad, "state": norm.state_dict(),
             "grads": [p.grad for p in norm.parameters()]},
            path / f"{rank}.pt",
        )  # fmt: skip
