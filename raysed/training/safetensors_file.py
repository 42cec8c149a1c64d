"""Checkpoints as safetensors: the same tensors under dotted names, and the same JSON in the header's metadata.

The form that model hubs and other programs read without running code. Nothing is rounded: both ways give the same bytes
of each tensor. Needs `raysed[hub]`.
"""

import json
import struct
from typing import Any

_HEAD_BYTES = 8
_MOST_HEADER_BYTES = 100_000_000


def is_safetensors(content: bytes) -> bool:
    """Tell whether the bytes begin as such a file does: the length of its header, then JSON."""
    return content[_HEAD_BYTES : _HEAD_BYTES + 1] == b"{"


def encode_safetensors(tensors: dict[str, Any], about: dict[str, Any]) -> bytes:
    """Return the file of nested tensors and of what is said about them."""
    from safetensors.torch import save

    return save(_flat(tensors), metadata={"about": json.dumps(about), "format": "pt"})


def parse_safetensors(content: bytes, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (tensors, about) of a file. Raises ValueError naming `path` where it is none of raysed's, or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        (length,) = struct.unpack("<Q", content[:_HEAD_BYTES])
        if length > _MOST_HEADER_BYTES:
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(content[_HEAD_BYTES : _HEAD_BYTES + length])
        about = json.loads(header["__metadata__"]["about"])
        if not isinstance(about, dict):
            raise TypeError("its metadata are no object")
        return _nested(load(content)), about
    except (SafetensorError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ValueError(f"{path}: not a whole safetensors file of raysed ({error})") from error


def _flat(tensors: dict[str, Any], head: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tensors.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{head}{name}/")
        else:
            found[head + name] = value.contiguous()
    return found


def _nested(tensors: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tensors.items():
        *parts, last = name.split("/")
        place = found
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
    return found
