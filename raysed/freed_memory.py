"""Memory that was freed and that allocators keep for themselves, where the rest of the work will not need as much."""

import ctypes
from contextlib import suppress

import pyarrow as pa


def return_freed() -> None:
    """Give freed memory back to the system: Arrow's, and that of C's library where it is glibc."""
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError):  # other libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)
