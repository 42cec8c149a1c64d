"""The code that computes the mel bands of a job's data sets, which is part of their identity."""

from collections.abc import Iterable, Mapping
from ctypes import CDLL
from importlib.util import find_spec
from typing import Literal, Protocol

from raysed.config.data_job import DataJob

Mel = Literal["dali", "torchaudio"]


class SetByBackend(Protocol):
    """A data set by one backend, as far as it is there."""

    @property
    def begun(self) -> bool:
        """Tell whether its folder holds a manifest."""

    @property
    def state(self) -> Literal["present", "to_build"]:
        """Tell whether the whole data set is there."""


def backends(job: DataJob) -> tuple[Mel, ...]:
    """Return the backends that a job allows, the fastest on this machine first: DALI where there is a GPU for it."""
    if job.mel != "auto":
        return (job.mel,)
    # torch takes two seconds to load: it is asked last.
    return ("dali", "torchaudio") if is_installed("dali") and _gpus() else ("torchaudio", "dali")


def fitting_backend(found: Mapping[Mel, Iterable[SetByBackend]]) -> Mel:
    """Return the backend by which most of a job's sets are there or begun, so that none is built again; of equals the
    first. One that is not installed is taken only where it has nothing left to do, or where there is no other.
    """
    sets = {mel: [*each] for mel, each in found.items()}
    able = [mel for mel in sets if is_installed(mel) or _all_present(sets[mel])]
    return max(able or sets, key=lambda mel: sum(each.begun for each in sets[mel]))


def refusal(job: DataJob, mel: Mel) -> str | None:
    """Return why this machine cannot build sets by this backend, None where it can."""
    if is_installed(mel):
        return None
    return (
        f"job {job.name}: mel: dali, but nvidia-dali-cuda130 is not installed"
        " (pip install 'raysed[gpu]'); use mel: auto (RAYSED_MEL=auto for the jobs that come with raysed)"
    )


def is_installed(mel: Mel) -> bool:
    """Tell whether this machine has a backend; the CPU definition is ours."""
    return mel == "torchaudio" or (
        find_spec("nvidia") is not None and find_spec("nvidia.dali") is not None
    )


def _all_present(sets: list[SetByBackend]) -> bool:
    return bool(sets) and all(each.state == "present" for each in sets)


def _gpus() -> int:
    try:
        CDLL("libcuda.so.1")
    except OSError:
        # Without the driver of CUDA torch would find none either.
        return 0
    import torch

    return torch.cuda.device_count()
