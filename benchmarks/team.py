"""Processes that hold one trial's networks as ranks and take steps when they are told to.

They outlive a step, so that teams of different sizes can take turns on the same machine: only one works at a
time, the others wait on a pipe. Each batch is of noise, the same for every size of team.
"""

import multiprocessing
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from benchmarks.train_step import VALUES, inputs
from raysed.config.trial import Trial
from raysed.model.cpu.dropout import Dropout
from raysed.model.sync_norm import AllReducedBatchNorm
from raysed.training.mean_teacher import MeanTeacher, Targets
from raysed.training.ranks import Ranks, process_group

N_CLASSES = 10


@dataclass(frozen=True)
class Step:
    """The variant of a step; all but the default change the result and serve to measure the cost of a part."""

    dropout: bool = True
    statistics: bool = True
    """True for batch statistics over all ranks instead of each rank's own."""
    gradients: bool = True
    """True for gradients over all ranks."""


@dataclass(frozen=True)
class Collectives:
    """All-reduces of one step by themselves, with nothing computed between them to wait for."""

    gradients: int
    """Number of values, in one all-reduce."""
    statistics: int
    """Number of all-reduces of 128 values."""


@dataclass(frozen=True)
class Taken:
    """One rank's report of a step."""

    wall_s: float
    cpu_s: float
    waited_s: float
    """Seconds within the all-reduces of batch statistics and losses: the transfer, and waiting for other
    ranks."""
    all_reduces: int
    """Number of all-reduces of statistics and losses; DDP's of the gradients is not visible from Python."""
    losses: tuple[float, ...]
    peak_rss_gb: float


class Team:
    """One process per device; `with Team(…) as team: team(Step())` returns every rank's `Taken`.

    gloo works for any devices, two ranks on one GPU included; NCCL wants GPUs, each once.
    """

    def __init__(self, trial: Trial, devices: tuple[str, ...], *, nccl: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        address = f"tcp://127.0.0.1:{free_port()}"
        self._pipes: list[Connection] = []
        self._processes = []
        for rank, device in enumerate(devices):
            ours, theirs = context.Pipe()
            group_device = device if nccl else "cpu"
            work = (theirs, trial, Ranks(rank, len(devices)), address, device, group_device)
            process = context.Process(target=_serve, args=work, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __call__(self, command: Step | Collectives) -> list[Any]:
        """Let all ranks take the step together; return each rank's report. Raises EOFError where a rank has
        died.
        """
        for pipe in self._pipes:
            pipe.send(command)
        return [pipe.recv() for pipe in self._pipes]

    def __enter__(self) -> "Team":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=20)
            process.kill()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def share_of(
    student_BTF: torch.Tensor, teacher_BTF: torch.Tensor, targets: Targets, ranks: Ranks
) -> tuple[torch.Tensor, torch.Tensor, Targets]:
    """Return every world-th clip of the global batch, as `BatchSource` shares it."""
    shares = targets.shares
    own = torch.arange(ranks.rank, shares.total, ranks.world)
    weak = own - (shares.total - shares.weak)
    held = Targets(
        targets.strong_SUK[own[own < shares.synthetic]], targets.weak_WK[weak[weak >= 0]], shares
    )
    return student_BTF[own], teacher_BTF[own], held


def _serve(
    pipe: Connection, trial: Trial, ranks: Ranks, address: str, device: str, group_device: str
) -> None:
    """Take steps as told until the pipe is closed."""
    torch.set_num_threads(1)
    if device.startswith("cuda"):
        torch.backends.cudnn.allow_tf32 = False
    for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        os.environ.setdefault(name, "lo")
    with process_group(ranks, address, group_device):
        networks = MeanTeacher(trial, N_CLASSES, 0, device, ranks)
        student, teacher, held = share_of(*inputs(trial.shares), ranks)
        held = Targets(held.strong_SUK.to(device), held.weak_WK.to(device), held.shares)
        batch = (student.to(device), teacher.to(device), held)
        torch.manual_seed(ranks.rank)
        while True:
            try:
                command = pipe.recv()
            except EOFError:
                return
            if isinstance(command, Step):
                pipe.send(_take(networks, batch, command))
            else:
                pipe.send(_collectives(command))


def _take(networks: MeanTeacher, batch: tuple[Any, Any, Targets], step: Step) -> Taken:
    _configure(networks, step)
    forward = networks._forward
    alone = isinstance(forward, DistributedDataParallel) and not step.gradients
    quiet: AbstractContextManager[None] = forward.no_sync() if alone else nullcontext()
    with _timed_all_reduces() as waits, quiet:
        cpu, wall = time.process_time(), time.perf_counter()
        terms = networks.step(*batch, VALUES)
        networks.update_teacher(VALUES.ema_decay)
        losses = tuple(terms.double().tolist())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Taken(wall, cpu, sum(waits), len(waits), losses, round(peak * 1024 / 1e9, 2))


def _configure(networks: MeanTeacher, step: Step) -> None:
    for module in (*networks.student.modules(), *networks.teacher.modules()):
        if isinstance(module, Dropout):
            module.p = networks.trial.model.dropout if step.dropout else 0.0
        elif type(module) in (nn.BatchNorm2d, AllReducedBatchNorm) and networks.ranks.world > 1:
            module.__class__ = AllReducedBatchNorm if step.statistics else nn.BatchNorm2d


@contextmanager
def _timed_all_reduces() -> Iterator[list[float]]:
    """Note the seconds of each all-reduce that Python calls: statistics and losses, but not DDP's own."""
    waits: list[float] = []
    original: Callable[..., Any] = dist.all_reduce

    def timed(*args: Any, **more: Any) -> Any:
        start = time.perf_counter()
        done = original(*args, **more)
        waits.append(time.perf_counter() - start)
        return done

    dist.all_reduce = timed  # pyrefly: ignore
    try:
        yield waits
    finally:
        dist.all_reduce = original


def _collectives(command: Collectives) -> tuple[float, float]:
    """Return the seconds of a step's all-reduce of gradients, and of all those of statistics."""
    gradients, statistics = torch.zeros(command.gradients), torch.zeros(128)
    dist.barrier()
    start = time.perf_counter()
    dist.all_reduce(gradients)
    middle = time.perf_counter()
    for _ in range(command.statistics):
        dist.all_reduce(statistics)
    return middle - start, time.perf_counter() - middle
