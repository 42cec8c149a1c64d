"""A trial that trains in a thread, from one report to the next as it is asked to go on."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from raysed.training.train import EpochCallback

_LOOK_S = 1.0
"""Seconds between looks for whoever is to take a report."""


class UnwantedError(Exception):
    """Whoever the trial reports to has ended: it was stopped, or its process died."""


class TrialThread:
    """A thread that trains; what it raises reaches the one who asks, and no other trial.

    `train` is given two functions: one takes an epoch's report, the other is to be called at every step. Both raise
    UnwantedError once `is_wanted` says no, within a second or a step.
    """

    def __init__(
        self,
        name: str,
        train: Callable[[EpochCallback, Callable[[], None]], None],
        is_wanted: Callable[[], bool],
    ) -> None:
        self._train, self._is_wanted = train, is_wanted
        self._said: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
        self._asked = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, daemon=True, name=name)
        self.thread.start()

    def next(self) -> dict[str, Any] | None:
        """Let the trial go on until it reports, and return that; None at its end. Raises what it raises."""
        self._asked.release()
        said = self._said.get()
        if isinstance(said, BaseException):
            raise said
        return said

    def _run(self) -> None:
        try:
            self._wait()
            self._train(self._report, self._stay)
        except BaseException as error:
            self._said.put(error)
        else:
            self._said.put(None)

    def _report(self, metrics: dict[str, Any]) -> None:
        self._said.put(metrics)
        self._wait()

    def _wait(self) -> None:
        while not self._asked.acquire(timeout=_LOOK_S):
            self._stay()

    def _stay(self) -> None:
        if not self._is_wanted():
            raise UnwantedError("the process that this trial reports to has ended")
