"""Torch's global generators, which all threads of a process share: who draws from them holds them meanwhile.

Trials may be threads of one process (raysed.tune.card_hosts). What each of them draws must be what it draws alone.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HELD = threading.RLock()


@contextmanager
def draws(seed: int | None = None) -> Iterator[None]:
    """Hold torch's global generators, of the CPU and of GPUs, set to a seed where one is given; other threads wait.

    A GPU's kernels get their place in the sequence when they are launched, so that nothing waits for them.
    """
    with _HELD:
        if seed is not None:
            # Here: a process that makes clips opens no network, and torch would cost it 1.5 CPU seconds and 200 MB.
            import torch

            torch.manual_seed(seed)
        yield
