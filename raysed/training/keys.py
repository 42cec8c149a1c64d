"""Random generators from keys instead of states: the same key gives the same draws on any machine, in any
order.
"""

import zlib

import numpy as np
import torch


def seed_of(*key: int | str) -> int:
    """Return a 63-bit seed for a key of integers and words."""
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> np.uint64(1))


def torch_generator(*key: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a torch generator for this key."""
    return torch.Generator(device=device).manual_seed(seed_of(*key))


def numpy_generator(*key: int | str) -> np.random.Generator:
    """Return a numpy generator for this key."""
    return np.random.Generator(np.random.PCG64(seed_of(*key)))
