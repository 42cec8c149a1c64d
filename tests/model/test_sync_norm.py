"""Batch statistics over ranks are those of one process with the whole batch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from raysed.model.sync_norm import AllReducedBatchNorm, synchronise_norms
from raysed.training.ranks import Ranks
from tests.forked import Forked
from tests.model.norm_worker import normalise


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    """A process group of this process alone."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/r", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def norms(momentum: float = 0.3) -> tuple[nn.BatchNorm2d, nn.BatchNorm2d]:
    """Ours and torch's, with the same parameters."""
    ours, plain = (kind(3, momentum=momentum) for kind in (AllReducedBatchNorm, nn.BatchNorm2d))
    nn.init.uniform_(plain.weight, 0.5, 1.5)
    nn.init.uniform_(plain.bias, -1, 1)
    ours.load_state_dict(plain.state_dict())
    return ours, plain


def test_alone_it_is_torchs(group: None) -> None:
    ours, plain = (norm.double() for norm in norms())
    x = 5 + 2 * torch.randn(4, 3, 6, 5, dtype=torch.float64)
    weights = torch.randn_like(x)
    found = []
    for norm in (ours, plain):
        own = x.clone().requires_grad_()
        out = norm(own)
        out.backward(weights)
        grads = [own.grad, *(p.grad for p in norm.parameters())]
        found.append([out.detach(), *grads, *norm.state_dict().values()])
    for ours_, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours_, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sums_of_half_precision_do_not_overflow(group: None, dtype: torch.dtype) -> None:
    ours, _ = norms()
    # The sum is 200 x 32768, far beyond float16's 65504.
    x = (200 + torch.randn(8, 3, 64, 64)).to(dtype)
    out = ours(x)
    assert out.dtype == dtype and bool(out.isfinite().all())
    assert ours.running_mean is not None
    expected = 0.3 * x.double().mean((0, 2, 3))
    torch.testing.assert_close(ours.running_mean.double(), expected, rtol=1e-4, atol=0)


def test_evaluation_needs_no_process_group() -> None:
    ours, plain = (norm.eval() for norm in norms())
    x = torch.randn(2, 3, 4, 4)
    assert not dist.is_initialized()
    assert torch.equal(ours(x), plain(x))


@pytest.mark.slow
def test_three_ranks_have_the_statistics_and_gradients_of_the_whole_batch(tmp_path: Path) -> None:
    _, plain = norms()
    plain.double()
    x = 5 + 2 * torch.randn(7, 3, 4, 5, dtype=torch.float64)
    weights = torch.randn_like(x)
    state = {key: value.clone() for key, value in plain.state_dict().items()}
    torch.save({"x": x, "weights": weights, "state": state}, tmp_path / "given.pt")
    address = f"file://{tmp_path}/rendezvous"
    processes = [
        Forked(tmp_path / f"errors-{rank}", normalise, Ranks(rank, 3), address, tmp_path)
        for rank in range(3)
    ]
    for process in processes:
        code, errors = process.finish()
        assert code == 0, errors[-2000:]
    x.requires_grad_()
    out = plain(x)
    (out * weights).sum().backward()
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(3)]
    for rank, found in enumerate(ranks):
        torch.testing.assert_close(found["out"], out.detach()[rank::3], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(found["x_grad"], x.grad[rank::3], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(found["state"], plain.state_dict(), rtol=1e-10, atol=1e-10)
    for own, whole in zip(
        zip(*(r["grads"] for r in ranks), strict=True), plain.parameters(), strict=True
    ):
        torch.testing.assert_close(sum(own), whole.grad, rtol=1e-10, atol=1e-10)


def test_only_batch_norms_are_exchanged_and_the_state_stays() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Sequential(nn.BatchNorm2d(3)))
    model.append(nn.BatchNorm1d(3))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert synchronise_norms(model, "cpu") is model
    kinds = [type(module) for module in model.modules()]
    assert kinds.count(AllReducedBatchNorm) == 2 and nn.BatchNorm1d in kinds
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    on_gpu = synchronise_norms(nn.Sequential(nn.BatchNorm2d(3)), "cuda:0")
    assert isinstance(on_gpu[0], nn.SyncBatchNorm)
