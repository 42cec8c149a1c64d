"""Adam is torch's, bit by bit, and a training of one process leaves torch's compiler alone."""

import subprocess
import sys

import pytest
import torch

from raysed.training import adam
from tests.paths import ROOT

PLAIN = {adam.Adam: torch.optim.Adam, adam.AdamW: torch.optim.AdamW}


def weights_after(kind, steps, state=None):
    """Weights after some steps on made-up gradients, and the optimiser's state."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(shape, generator=generator, requires_grad=True) for shape in (5, (3, 4))]
    groups = [{"params": [weight]} for weight in weights]
    optimiser = kind(groups, lr=0.1, betas=(0.8, 0.99), weight_decay=0.01, foreach=True)
    if state is not None:
        optimiser.load_state_dict(state)
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        assert all(weight.grad is None for weight in weights)
        sum((weight**2).sum() + weight.sum() for weight in weights).backward()
        optimiser.step()
    assert all(weight.requires_grad and weight.is_leaf for weight in weights)
    return weights, optimiser.state_dict()


@pytest.mark.parametrize("kind", PLAIN, ids=["adam", "adamw"])
def test_steps_and_states_are_torchs(kind):
    ours, theirs = (weights_after(each, 3) for each in (kind, PLAIN[kind]))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    resumed = [
        weights_after(a, 2, state) for a, (_, state) in ((kind, theirs), (PLAIN[kind], ours))
    ]
    torch.testing.assert_close(*resumed, rtol=0, atol=0)


_TRAINING = """
import sys
from raysed.config.trial import Schedule
from raysed.storage.folder import Folder
from raysed.training.train import train
from tests.training.tiny import sets, trial
train(trial(schedule=Schedule(epochs=1)), sets(), Folder(sys.argv[1]), seed=0)
sys.exit("torch._dynamo" in sys.modules)
"""


def test_a_training_does_not_import_torchs_compiler(tmp_path):
    command = [sys.executable, "-c", _TRAINING, str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, timeout=600, check=False).returncode == 0
    assert (tmp_path / "result.json").exists()
