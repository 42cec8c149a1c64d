"""bfloat16 on a CPU: whether its products pay, and its values in compiled loops, as the upper half of a float32's bits.

numba has no such type, so arrays of it are arrays of uint16 there.
"""

from typing import Any

import numpy as np
import torch
from numba import types
from numba.extending import overload
from torch import Tensor


def products_type(storage: torch.dtype, parameters: torch.dtype) -> torch.dtype:
    """Return the type of the factors of products for arrays stored in a type, of parameters in another.

    It is bfloat16 where that is stored and its products are faster than float32's. Elsewhere arrays are only stored
    in it.
    """
    if storage == torch.bfloat16 and has_fast_products():
        return storage
    return parameters


def has_fast_products() -> bool:
    """Tell whether the processor multiplies bfloat16 faster than float32: in matrix units (Intel's AMX) or, on an AMD,
    in vectors (AVX512_BF16).

    Intel's vectors have that instruction too, and on one without AMX they were slower than float32's (docs/log.md).
    """
    # A torch without these names goes the way that every processor can.
    able = getattr(torch.cpu, "get_capabilities", dict)()
    vectors = able.get("avx512_bf16", False) and "AMD" in able.get("cpu_name", "")
    return vectors or getattr(torch.cpu, "_is_amx_tile_supported", bool)()


def bits_of(values: Tensor) -> np.ndarray:
    """Return a CPU tensor's memory as an array: uint16 for bfloat16, the same type for any other."""
    return (values.view(torch.uint16) if values.dtype == torch.bfloat16 else values).numpy()


def widened(value: Any) -> Any:
    """Return an element of an array as a number, in compiled loops: float32 for bits of bfloat16, else itself."""


def narrowed(value: Any, array: Any) -> Any:
    """Return a number as an element of an array, in compiled loops: bits of the nearest bfloat16 (of two, the even
    one) for an array of uint16, else itself.
    """


@overload(widened, strict=False)
def _widened(value: Any) -> Any:
    if isinstance(value, types.Integer):
        return lambda value: np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)
    return lambda value: value


@overload(narrowed, strict=False)
def _narrowed(value: Any, array: Any) -> Any:
    if isinstance(array.dtype, types.Integer):
        return _rounded
    return lambda value, array: value


def _rounded(value: Any, array: Any) -> Any:
    bits = np.float32(value).view(np.uint32)
    odd = np.uint32((bits >> np.uint32(16)) & np.uint32(1))
    upper = np.uint32(bits + np.uint32(0x7FFF) + odd) >> np.uint32(16)
    # The sum would carry some not-numbers over to zero.
    return np.uint16(upper) if value == value else np.uint16(0x7FC0)
