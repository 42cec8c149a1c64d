"""The resources of one trial: its ranks, their CPUs and GPUs."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from raysed.config.base import Config


class Resources(Config):
    """The resources of one trial."""

    workers: int = Field(1, ge=1, le=10_000)
    """Ranks of a trial; more than one trains with DDP."""
    cpus_per_worker: int = Field(1, ge=1, le=10_000)
    """Also torch's thread count."""
    gpus_per_worker: Annotated[float, Field(ge=0, le=1000)] | Literal["auto"] = 0.0
    """Fractions put several trials on a GPU; auto uses GPUs where the cluster has any."""
    trials_as: Literal["processes", "threads"] = "processes"
    """Threads: the trials of a card train in one process, each on a stream of its own. Not measured on a GPU yet."""

    @model_validator(mode="after")
    def _whole_gpus_for_ranks(self) -> "Resources":
        if self.workers > 1 and self.gpus_per_worker not in (0.0, 1.0, "auto"):
            raise ValueError(
                f"gpus_per_worker {self.gpus_per_worker} with {self.workers} workers: NCCL needs one"
                " whole GPU per rank (fractions are for trials of one worker)"
            )
        if self.workers > 1 and self.trials_as == "threads":
            raise ValueError(
                f"trials_as threads with {self.workers} workers: ranks are processes; threads are for trials of one worker"
            )
        return self

    @property
    def gpus(self) -> float:
        """GPUs of a rank, once `auto` is settled (raysed.tune.resources)."""
        assert not isinstance(self.gpus_per_worker, str)
        return self.gpus_per_worker
