"""Prediction of many recordings by the processes of a Ray cluster: actors that each hold the network.

The output equals that of one process: a recording's windows depend on nothing else, and results come in the
order of the recordings.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import ray

from raysed.data.build.job import WORKER_ENVIRONMENT
from raysed.predict.detector import Detector
from raysed.predict.recordings import Prediction, predict
from raysed.predict.sources import Recording
from raysed.ray_cluster import ray_errors, start_ray

RECORDINGS_AT_ONCE = 32
"""The most recordings of a task; short recordings share batches."""
_RETRIES = 2


class _Worker:
    """An actor that fetches its network with its first work, and so again after a restart."""

    def __init__(self) -> None:
        self._detector: Detector | None = None

    def predict(
        self, stored: list["ray.ObjectRef[Detector]"], sources: Sequence[Recording]
    ) -> list[Prediction]:
        if self._detector is None:
            self._detector = _placed(ray.get(stored[0]))
        return list(predict(self._detector, sources))


def _placed(detector: Detector) -> Detector:
    """Return the detector on the GPU that Ray gave this actor, else on the CPU."""
    device = "cuda" if ray.get_gpu_ids() else "cpu"
    return replace(
        detector,
        network=detector.network.to(device),
        normaliser=detector.normaliser.to(device),
        device=device,
        encoder=detector.encoder and detector.encoder.on(device),
    )


def predict_over_ray(
    detector: Detector, sources: Sequence[Recording], *, workers: int, address: str | None
) -> Iterator[Prediction]:
    """Run `predict` in `workers` actors of one CPU each, and a share of a GPU where the cluster has some.

    Joins the Ray that this process runs or `address` names, else starts one on this machine. Raises
    ValueError where the cluster has not enough CPUs, StoppedError where a worker dies again and again.
    """
    start_ray(address)
    have = ray.cluster_resources()
    if workers > have.get("CPU", 0):
        raise ValueError(f"--workers {workers}: the cluster has {have.get('CPU', 0):g} CPUs")
    size = max(1, min(RECORDINGS_AT_ONCE, len(sources) // (4 * workers)))
    parts = deque(sources[start : start + size] for start in range(0, len(sources), size))
    on_cpu = replace(
        detector,
        network=detector.network.to("cpu"),
        normaliser=detector.normaliser.to("cpu"),
        device="cpu",
    )
    stored = [ray.put(on_cpu)]  # in a list: fetched where it is not there yet, not with every part
    worker = ray.remote(_Worker).options(
        num_cpus=1,
        num_gpus=min(1.0, have.get("GPU", 0.0) / workers),
        max_restarts=_RETRIES,
        max_task_retries=_RETRIES,
        runtime_env=WORKER_ENVIRONMENT,
    )
    pool: list[Any] = [worker.remote() for _ in range(min(workers, len(parts)))]
    try:
        with ray_errors("the prediction"):
            yield from _in_order(pool, stored, parts)
    finally:
        for actor in pool:
            ray.kill(actor)


def _in_order(
    pool: list[Any], stored: list["ray.ObjectRef[Detector]"], parts: deque[Sequence[Recording]]
) -> Iterator[Prediction]:
    """Yield results in the order of the parts; at most two parts for each worker are under way or waiting."""
    running: dict[ray.ObjectRef, Any] = {}
    order: deque[ray.ObjectRef] = deque()
    idle = deque(pool)
    done: set[ray.ObjectRef] = set()
    while parts or order:
        while parts and idle and len(order) < 2 * len(pool):
            worker = idle.popleft()
            part = worker.predict.remote(stored, parts.popleft())
            running[part] = worker
            order.append(part)
        while order and order[0] in done:
            part = order.popleft()
            done.discard(part)
            yield from ray.get(part)
        if running:
            (ready,), _ = ray.wait(list(running), num_returns=1)
            idle.append(running.pop(ready))
            done.add(ready)
