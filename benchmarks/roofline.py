"""`python -m benchmarks.roofline`: the expected cost of a training step on a GPU, from its own operations.

The step runs on torch's meta device, which computes shapes and nothing else, and every operation is counted:
floating-point operations, bytes read and written, launches. A kernel then takes the longest of its products
at the peak that is assumed, its bytes at the bandwidth, and the shortest kernel. The GRU, one call of cuDNN's
on a GPU, is counted by hand; so are the fused optimiser's launches. Nothing here is a measurement: the
figures of `GPUS` are assumptions, and `make gpu-check` on a GPU confirms or refutes what follows from them.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any
from unittest.mock import patch

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from benchmarks.common import document, publish
from benchmarks.train_step import VALUES, trial_of
from raysed.config.trial import Model, Shares
from raysed.model.cpu.dropout import Dropout
from raysed.training.mean_teacher import MeanTeacher, Targets

FRAMES, BANDS, OUTPUTS, CLASSES = 628, 128, 157, 10
N_CALLS = 3
"""Passes through the GRU in a step: teacher forward, student forward, student backward (twice the products)."""


@dataclass(frozen=True)
class Gpu:
    """Assumptions about a GPU and its host."""

    tflops: dict[str, float]
    tb_s: float
    shortest_us: float = 2.0
    """Time of a kernel that has nearly nothing to do."""
    launch_us: float = 10.0
    """Time of the host for one operation of eager torch, with what Python and autograd add to it."""
    frame_us: float = 4.0
    """Time of one frame of one layer of cuDNN's GRU, whose frames must wait for each other."""


GPUS = {
    # Dense peaks of the SXM part at 70 %, which large convolutions reach; HBM3's 3.35 TB/s at 80 %.
    "H100": Gpu(tflops={"float32": 47.0, "bfloat16": 690.0}, tb_s=2.7),
}


@dataclass
class Work:
    """One kind of kernel in a step."""

    flops: float = 0.0
    bytes: float = 0.0
    launches: int = 0
    pieces: list[tuple[float, float]] = field(default_factory=list)
    """The products and bytes of each launch."""

    def add(self, flops: float, n_bytes: float) -> None:
        """Add one more launch."""
        self.flops += flops
        self.bytes += n_bytes
        self.launches += 1
        self.pieces.append((flops, n_bytes))


_NO_KERNEL = (
    *("view", "unsafe_view", "expand", "select", "slice.", "squeeze", "unsqueeze", "transpose"),
    *("permute", "t.", "detach", "as_strided", "alias", "empty", "foreach", "local_scalar", "lift"),
)
"""Beginnings of the names of views and allocations, and of what is counted by hand."""
_KINDS = {
    "convolution_backward": "convolutions, backward",
    "convolution": "convolutions, forward",
    "batch_norm": "batch norm",
    "mm": "linear layers",
    "pool": "pooling",
    "dropout": "dropout",
}


class Count(TorchDispatchMode):
    """A context that adds up the operations run within it, by kind of kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[str, Work] = defaultdict(Work)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = str(func).removeprefix("aten.")
        leaves = [leaf for leaf in tree_leaves((args, kwargs, out)) if isinstance(leaf, Tensor)]
        # Adam's step numbers lie on the CPU; views and allocations are no kernels.
        on_device = any(leaf.is_meta for leaf in leaves)
        if on_device and not name.lstrip("_").startswith(_NO_KERNEL):
            count = flop_registry.get(func.overloadpacket)
            flops = count(*args, **(kwargs or {}), out_val=out) if count else 0
            kind = next((_KINDS[part] for part in _KINDS if part in name), "elementwise and sums")
            self.kinds[kind].add(flops, sum(map(_moved, leaves)))
        if name.startswith("convolution"):
            return _channels_last(out)
        return out


def _moved(leaf: Tensor) -> int:
    """Return the bytes that a kernel reads or writes of a tensor; an expanded one is read once."""
    return min(leaf.numel() * leaf.element_size(), leaf.untyped_storage().nbytes())


def _channels_last(out: Any) -> Any:
    """Return outputs in channels last, as cuDNN does for such weights; the meta device does not."""
    if isinstance(out, Tensor):
        return out.contiguous(memory_format=torch.channels_last)
    return tuple(
        _channels_last(each) if each is not None and each.dim() == 4 else each for each in out
    )


@contextmanager
def _as_on_a_gpu() -> Iterator[None]:
    """Make the step take the paths that it takes on a GPU; a stand-in without products replaces the GRU."""
    with ExitStack() as stack:
        for each in (
            patch(
                "raysed.model.cpu.gru.GRU.forward",
                lambda self, x, hx=None: (x.repeat(1, 1, 2), None),
            ),
            patch.object(torch, "autocast", lambda *_, **__: nullcontext()),
            patch.object(Dropout, "forward", lambda self, x: _dropout(x, self.p, self.training)),
        ):
            stack.enter_context(each)
        yield


def _dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Apply dropout as F.dropout does on a GPU: one kernel forward, one backward."""
    return torch.native_dropout(x, p, training)[0]


def step_work(shares: Shares, model: Model, dtype: torch.dtype) -> dict[str, Work]:
    """Return the kernels of one training step, by kind; `dtype` is that of activations and weights."""
    clips = shares.total

    def empty(*shape: int) -> Tensor:
        return torch.empty(*shape, device="meta", dtype=dtype)

    with _as_on_a_gpu():
        networks = MeanTeacher(trial_of(shares, model=model), CLASSES, 0, "meta")
        networks.student.to(dtype)
        networks.teacher.to(dtype)
        targets = Targets(
            empty(shares.synthetic, OUTPUTS, CLASSES), empty(shares.weak, CLASSES), shares
        )
        batch = (empty(clips, FRAMES, BANDS), empty(clips, FRAMES, BANDS), targets, VALUES)
        networks.step(*batch)  # the first sets up Adam's moments
        with Count() as count:
            networks.step(*batch)
    kinds = dict(count.kinds)
    kinds["GRU"] = gru_work(clips, model, dtype.itemsize)
    # Adam reads weight, gradient and two moments and writes three; the teacher's mean reads two, writes one.
    size = 4 * sum(parameter.numel() for parameter in networks.student.parameters())
    kinds["Adam, fused"], kinds["teacher's mean"] = Work(), Work()
    kinds["Adam, fused"].add(0, 7 * size)
    kinds["teacher's mean"].add(0, 3 * size)
    return kinds


def gru_work(clips: int, model: Model, itemsize: int) -> Work:
    """Count both directions of all layers as one call for each pass; bytes are inputs and outputs of each
    layer.
    """
    work, units = Work(), model.gru_units
    inputs = (model.filters[-1], *(2 * units for _ in range(model.gru_layers - 1)))
    macs = clips * OUTPUTS * sum(2 * 3 * units * (units + i) for i in inputs)
    values = clips * OUTPUTS * sum(i + 2 * units for i in inputs)
    for passes in (1, 1, 2):
        work.add(2 * macs * passes, values * itemsize * passes)
    return work


@dataclass(frozen=True)
class Step:
    """A training step on a GPU as counted."""

    clips: int
    kinds: dict[str, Work]
    times: dict[str, float]
    """Seconds of GPU time, by kind of kernel."""
    gru_products_s: float

    @property
    def launches(self) -> int:
        """Return the number of launches of all kinds."""
        return sum(work.launches for work in self.kinds.values())


def seconds(work: Work, gpu: Gpu, precision: str) -> float:
    """Return the GPU time of one kind of kernel."""
    return sum(
        max(flops / gpu.tflops[precision] / 1e12, n_bytes / gpu.tb_s / 1e12, gpu.shortest_us / 1e6)
        for flops, n_bytes in work.pieces
    )


def timed(shares: Shares, model: Model, gpu: Gpu, precision: str) -> Step:
    """Return the step with its times; that of the GRU is the time of its recurrence where that is longer."""
    kinds = step_work(shares, model, getattr(torch, precision))
    times = {kind: seconds(work, gpu, precision) for kind, work in kinds.items()}
    products_s = times["GRU"]
    recurrence_s = N_CALLS * model.gru_layers * OUTPUTS * gpu.frame_us / 1e6
    times["GRU"] = max(products_s, recurrence_s)
    return Step(shares.total, kinds, times, products_s)


def clips_per_s(step: Step, gpu: Gpu, trials: int, *, at_once: bool = False) -> float:
    """Return clips per second of `trials` that share a GPU, each with a process and a core of its own.

    A trial alone takes the longer of its GPU time and its host's; together they can no more than fill the
    GPU. In time slices (CUDA's default) the GRU's recurrence blocks the GPU for the others though it leaves
    most of it idle; `at_once` (MPS) it costs them only its products.
    """
    busy_s = sum(step.times.values())
    alone_s = max(busy_s, step.launches * gpu.launch_us / 1e6)
    shared_s = busy_s - step.times["GRU"] + step.gru_products_s if at_once else busy_s
    return step.clips * min(trials / alone_s, 1 / shared_s)


def report(clips: int) -> dict[str, Any]:
    """Return rows by kind, and clips/s by precision and number of trials, in the published proportions."""
    gpu = GPUS["H100"]
    shares = Shares(synthetic=clips // 4, unlabelled=clips // 2, weak=clips // 4)
    found: dict[str, Any] = {"batch": shares.total, "kernels": {}, "clips_per_s": {}}
    for precision in gpu.tflops:
        step = timed(shares, Model(), gpu, precision)
        found["kernels"][precision] = [
            {
                "kind": kind,
                "gflop": round(work.flops / 1e9, 2),
                "mb": round(work.bytes / 1e6, 1),
                "launches": work.launches,
                "ms": round(1e3 * step.times[kind], 3),
            }
            for kind, work in sorted(step.kinds.items(), key=lambda item: -step.times[item[0]])
        ]
        found["clips_per_s"][precision] = {
            "gpu_ms": round(1e3 * sum(step.times.values()), 2),
            "host_ms": round(step.launches * gpu.launch_us / 1e3, 2),
            **{f"{n} sliced": round(clips_per_s(step, gpu, n)) for n in (1, 4, 8)},
            **{f"{n} at once": round(clips_per_s(step, gpu, n, at_once=True)) for n in (4, 8)},
        }
    return found


def show(found: dict[str, Any]) -> None:
    """Print both tables."""
    console = Console(width=110)
    for precision, rows in found["kernels"].items():
        table = Table(
            "kernels", "GFLOP", "MB", "launches", "ms", title=f"{precision}, batch {found['batch']}"
        )
        for row in rows:
            table.add_row(*(str(row[key]) for key in ("kind", "gflop", "mb", "launches", "ms")))
        console.print(table)
    table = Table("clips/s", *found["clips_per_s"]["float32"])
    for precision, row in found["clips_per_s"].items():
        table.add_row(precision, *map(str, row.values()))
    console.print(table)


def main(
    clips: Annotated[int, typer.Option(min=4, help="Clips a batch, a multiple of 4.")] = 24,
    store: Annotated[bool, typer.Option(help="Keep the result in benchmarks/results.")] = False,
) -> None:
    """Count, print the tables, and the JSON document."""
    found = report(clips)
    show(found)
    publish(document("roofline", [], assumed=GPUS["H100"].__dict__, **found), store)


if __name__ == "__main__":
    typer.run(main)
