import ctypes
import os
from pathlib import Path

import numpy as np
import pytest

from raysed.freed_memory import return_freed

_PIECE_B = 60_000
"""Bytes: less than what glibc takes from the system piece by piece, and gives back at once."""


def held_b() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_what_is_freed_between_pieces_that_are_kept_goes_back_to_the_system():
    pieces = [np.ones(_PIECE_B, np.uint8) for _ in range(2000)]
    del pieces[:-1]  # the last one lies above the others
    before_b = held_b()
    return_freed()
    assert before_b - held_b() > 1000 * _PIECE_B
    assert (pieces[0] == 1).all()
