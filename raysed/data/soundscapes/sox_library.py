"""SoX's `rate` on arrays in memory, by way of its C library.

soxbindings sends what comes out of SoX through a file, and all samples through floating point: half of the time of a
short sound. The structures are those of sox.h, the same since SoX 14.3. One sound at a time: SoX has global state.
"""

import ctypes
from ctypes import POINTER, Structure, byref, c_char_p, c_double, c_int, c_size_t, c_uint, c_void_p
from typing import Any

import numpy as np

_BITS = 32
_SUCCESS, _END = 0, -1
_SIGNED = 1
_DEFAULT = 2
_MANY_CHANNELS = 16
"""Flag of an effect that takes all channels."""

_Sizes = POINTER(c_size_t)
_FlowFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, _Sizes, _Sizes)
_DrainFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, _Sizes)


class _Signal(Structure):
    _fields_ = (
        ("rate", c_double),
        ("channels", c_uint),
        ("precision", c_uint),
        ("length", ctypes.c_uint64),
        ("mult", c_void_p),
    )


class _Encoding(Structure):
    _fields_ = (
        ("encoding", c_int),
        ("bits_per_sample", c_uint),
        ("compression", c_double),
        ("reverse_bytes", c_int),
        ("reverse_nibbles", c_int),
        ("reverse_bits", c_int),
        ("opposite_endian", c_int),
    )


class _Handler(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("usage", c_char_p),
        ("flags", c_uint),
        ("getopts", c_void_p),
        ("start", c_void_p),
        ("flow", _FlowFunction),
        ("drain", _DrainFunction),
        ("stop", c_void_p),
        ("kill", c_void_p),
        ("priv_size", c_size_t),
    )


_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "sox_version": (c_char_p, ()),
    "sox_find_effect": (c_void_p, (c_char_p,)),
    "sox_create_effect": (c_void_p, (c_void_p,)),
    "sox_effect_options": (c_int, (c_void_p, c_int, POINTER(c_char_p))),
    "sox_create_effects_chain": (c_void_p, (c_void_p, c_void_p)),
    "sox_add_effect": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "sox_flow_effects": (c_int, (c_void_p, c_void_p, c_void_p)),
    "sox_delete_effects_chain": (None, (c_void_p,)),
}
"""The result and the arguments of each function of the library."""


class SoxLibrary:
    """The functions of SoX that a resampling takes, and one sound on its way through them."""

    def __init__(self, path: str) -> None:
        """Open the library that the file `path` is linked with. OSError or AttributeError where it is not to be had."""
        # One that keeps Python's lock: SoX's tables of its FFT belong to the process.
        library = ctypes.PyDLL(path)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        version = library.sox_version().decode()
        if not version.startswith("14.4."):
            raise OSError(f"SoX {version} may have other structures than 14.4")
        self._library = library
        self._free = ctypes.PyDLL(None).free
        self._free.argtypes = (c_void_p,)
        # SoX calls these as long as this object lives.
        self._calls = _DrainFunction(self._give), _FlowFunction(self._take)
        nothing = _FlowFunction(), _DrainFunction()
        flags = _MANY_CHANNELS
        self._input = _Handler(b"input", None, flags, None, None, nothing[0], self._calls[0])
        self._output = _Handler(b"output", None, flags, None, None, self._calls[1], nothing[1])
        self._samples_T = np.empty(0, np.int32)
        self._given = 0
        self._taken: list[bytes] = []

    def resampled(self, samples_T: np.ndarray, rate_hz: float, sample_rate_hz: int) -> np.ndarray:
        """Return int32 samples of one channel at another rate, as SoX's `rate` makes them of 32 bits."""
        assert samples_T.dtype == np.int32 and samples_T.ndim == 1
        self._samples_T, self._given, self._taken = np.ascontiguousarray(samples_T), 0, []
        encoding = _Encoding(_SIGNED, _BITS, 0.0, _DEFAULT, _DEFAULT, _DEFAULT, 0)
        between = _Signal(rate_hz, 1, _BITS, len(samples_T))
        wanted = _Signal(sample_rate_hz, 1, _BITS)
        sox = self._library
        chain = sox.sox_create_effects_chain(byref(encoding), byref(encoding))
        rate = sox.sox_find_effect(b"rate")
        for handler, options in (
            (ctypes.addressof(self._input), ()),
            (rate, (str(sample_rate_hz).encode(),)),
            (ctypes.addressof(self._output), ()),
        ):
            effect = sox.sox_create_effect(handler)
            if options:
                sox.sox_effect_options(effect, len(options), (c_char_p * len(options))(*options))
            sox.sox_add_effect(chain, effect, byref(between), byref(wanted))
            self._free(effect)
        sox.sox_flow_effects(chain, None, None)
        sox.sox_delete_effects_chain(chain)
        return np.frombuffer(b"".join(self._taken), np.int32)

    def _give(self, effect: int, buffer: int, size: Any) -> int:
        """Fill SoX's buffer with the next samples."""
        part_T = self._samples_T[self._given : self._given + size[0]]
        ctypes.memmove(buffer, part_T.ctypes.data, part_T.nbytes)
        size[0] = len(part_T)
        self._given += len(part_T)
        return _SUCCESS if len(part_T) else _END

    def _take(self, effect: int, buffer: int, unused: int, size: Any, written: Any) -> int:
        """Keep the samples that SoX has made."""
        self._taken.append(ctypes.string_at(buffer, size[0] * self._samples_T.itemsize))
        written[0] = 0
        return _SUCCESS
