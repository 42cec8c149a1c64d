"""What one rank of test_sync_norm.py does."""

import torch

from raysed.model.sync_norm import AllReducedBatchNorm
from raysed.training.ranks import Ranks, process_group


def normalise(ranks: Ranks, address, folder):
    """Its clips of FOLDER/given.pt through a synchronised norm and back; outputs and gradients go to FOLDER/RANK.pt."""
    torch.set_num_threads(1)
    given = torch.load(folder / "given.pt", weights_only=True)
    with process_group(ranks, address):
        norm = AllReducedBatchNorm(3, momentum=0.3).double()
        norm.load_state_dict(given["state"])
        # Unequal shares: each rank's own clips, strided.
        own = slice(ranks.rank, None, ranks.world)
        x = given["x"][own].clone().requires_grad_()
        out = norm(x)
        (out * given["weights"][own]).sum().backward()
        torch.save(
            {"out": out.detach(), "x_grad": x.grad, "state": norm.state_dict(),
             "grads": [p.grad for p in norm.parameters()]},
            folder / f"{ranks.rank}.pt",
        )  # fmt: skip
