"""The energy of a trial: what its processes took in training and in evaluation, as far as there are counters.

Where a counter is absent, cannot be read or fails on the way, nothing is measured by it: never 0, never an error.
"""

import math
import threading
from collections.abc import Sequence
from types import TracebackType
from weakref import WeakSet

import torch

from raysed.beat import Beat
from raysed.run.folders import Energy
from raysed.training.energy_counters import Counter, open_counters
from raysed.training.ranks import Ranks

_READ_EVERY_S = 5.0
"""Seconds between readings: shorter than any counter takes to go round, long enough to cost nothing."""
_KINDS = ("gpu", "cpu")
_JOULES_PER_KWH = 3.6e6
Joules = dict[str, float]
"""Joules by kind, NaN where they are not measured."""


_OPEN: WeakSet["EnergyMeter"] = WeakSet()
"""The meters that are open in this process, one of each trial that trains in it."""


class EnergyMeter:
    """The sum of what counters tell, read by a thread while it is open as a context manager.

    Trials that are threads of one process share its energy evenly.
    """

    def __init__(self, counters: Sequence[Counter]) -> None:
        self.counters = list(counters)
        self.joules: Joules = dict.fromkeys(_KINDS, math.nan)
        self.joules |= {counter.kind: 0.0 for counter in counters}
        self.failed: dict[str, str] = {}
        """The reason for each kind whose counter failed on the way."""
        self._lock = threading.Lock()
        self.beat = Beat(_READ_EVERY_S, self.read, "energy")

    def read(self) -> None:
        """Add what was taken since the last reading; a counter that fails has measured nothing."""
        sharing = max(len(_OPEN), 1)
        with self._lock:
            for counter in list(self.counters):
                try:
                    self.joules[counter.kind] += counter.since_last() / sharing
                # NVML's errors have no common parent but Exception, and no fault here may end a training.
                except Exception as error:
                    self.counters.remove(counter)
                    self.failed[counter.kind] = f"{type(error).__name__}: {error}"
                    self.joules[counter.kind] = math.nan

    def taken(self) -> Joules:
        """Return what was taken since the last call of this."""
        self.read()
        with self._lock:
            taken = dict(self.joules)
            self.joules = {kind: joules * 0.0 for kind, joules in self.joules.items()}
        return taken

    def __enter__(self) -> "EnergyMeter":
        _OPEN.add(self)
        if self.counters:
            self.beat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.beat.stop()
        _OPEN.discard(self)


class TrialEnergy:
    """The energy of a trial so far, over all its ranks and all its attempts."""

    def __init__(self, device: str) -> None:
        self.device = device
        counters, self.missing = open_counters(device)
        self.meter = EnergyMeter(counters)
        self.training_j: Joules = dict.fromkeys(_KINDS, 0.0)

    def line(self) -> str:
        """Return a line for the log: what is measured, and why the rest is not."""
        measured = " and ".join(counter.kind.upper() for counter in self.meter.counters)
        reasons = self.missing | self.meter.failed
        missing = "; ".join(f"{kind.upper()} not ({why})" for kind, why in reasons.items())
        return f"energy: {measured or 'nothing'} measured" + (f"; {missing}" if missing else "")

    def end_epoch(self, ranks: Ranks) -> None:
        """Add what all ranks took since the last epoch; called by every rank."""
        taken = self.meter.taken()
        device = self.device if self.device.startswith("cuda") else "cpu"
        sums = ranks.sum_(torch.tensor([taken[kind] for kind in _KINDS], device=device).double())
        for kind, joules in zip(_KINDS, sums.tolist(), strict=True):
            self.training_j[kind] += joules

    def as_json(self) -> dict[str, float | None]:
        """Return what a checkpoint holds of it."""
        return {kind: None if math.isnan(j) else j for kind, j in self.training_j.items()}

    def restore(self, stored: dict[str, float | None] | None) -> None:
        """Go on from `as_json`; a checkpoint of earlier code has none, so that its epochs are not measured."""
        for kind in _KINDS:
            joules = (stored or {}).get(kind)
            self.training_j[kind] = math.nan if joules is None else joules

    def of_training(self) -> Energy:
        """Return the energy of the epochs so far."""
        return self._energy(self.training_j)

    def of_evaluation(self) -> Energy:
        """Return the energy of this process since the last epoch."""
        return self._energy(self.meter.taken())

    def _energy(self, joules: Joules) -> Energy:
        # A counter that did not move has measured nothing.
        kwh = {kind: j / _JOULES_PER_KWH if j > 0 else None for kind, j in joules.items()}
        return Energy(on_gpu=self.device.startswith("cuda"), gpu_kwh=kwh["gpu"], cpu_kwh=kwh["cpu"])
