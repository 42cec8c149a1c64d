"""Columns that grow in place: of a million rows, no second copy is made of what came before."""

from array import array
from collections.abc import Iterable

import numpy as np
import pyarrow as pa


class Numbers:
    """Numbers of one type, given in parts."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._dtype = np.dtype(dtype)
        self._all = array(self._dtype.char)

    def extend(self, values: np.ndarray) -> None:
        """Append some numbers."""
        self._all.frombytes(np.ascontiguousarray(values, self._dtype).tobytes())

    def finish(self) -> np.ndarray:
        """Return all of them, without a copy."""
        return np.frombuffer(self._all, self._dtype)


class Texts:
    """Texts, given in parts, as one Arrow array holds them: their bytes, and where each ends."""

    def __init__(self) -> None:
        self._bytes, self._ends = bytearray(), Numbers(np.int32)
        self._ends.extend(np.zeros(1))

    def extend(self, texts: Iterable[str]) -> None:
        """Append some texts. Raises UnicodeEncodeError for one that is no UTF-8."""
        encoded = [text.encode() for text in texts]
        ends = len(self._bytes) + np.cumsum([len(each) for each in encoded], dtype=np.int64)
        self._ends.extend(ends)
        self._bytes += b"".join(encoded)

    def finish(self) -> pa.Array:
        """Return all of them, without a copy."""
        ends = self._ends.finish()
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(self._bytes)]
        return pa.Array.from_buffers(pa.string(), len(ends) - 1, buffers)
