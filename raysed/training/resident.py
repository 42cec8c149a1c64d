"""Features that a device holds, once for all trials of this process that train on the same mapped set."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

_LOCK = threading.Lock()


@dataclass(frozen=True, eq=False)
class Resident:
    """The features of one kind of a set's N clips, on a device; gone with the last trial that keeps it."""

    stored: tuple[np.ndarray, ...]
    """The views of the map that they were copied from, kept so that nothing else gets their identity."""
    values_N: Tensor


_RESIDENTS: WeakValueDictionary[tuple[int, str], Resident] = WeakValueDictionary()


def is_resident(stored: tuple[np.ndarray, ...], device: str) -> bool:
    """Tell whether a trial of this process holds these features on the device."""
    return (id(stored), device) in _RESIDENTS


def made_resident(
    stored: tuple[np.ndarray, ...], device: str, copied: Callable[[], Tensor]
) -> Resident:
    """Return the features on the device, as another trial of this process holds them or as `copied` copies them."""
    with _LOCK:
        found = _RESIDENTS.get((id(stored), device))
        if found is None:
            found = Resident(stored, copied())
            if device.startswith("cuda"):
                # Other trials read them on streams of their own.
                torch.cuda.current_stream(device).synchronize()
            _RESIDENTS[id(stored), device] = found
        return found
