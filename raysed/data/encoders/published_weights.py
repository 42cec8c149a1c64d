"""The weights within a published checkpoint: read without running anything of it, and loaded without anything left over."""

import argparse
import pickle
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_ARRAY: Any = np.empty(0).__reduce__()[0]
_PLAIN: list[Any] = [
    argparse.Namespace,
    *(np.ndarray, np.dtype, np.dtypes.Int64DType, np.dtypes.Float64DType),
    *((_ARRAY, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
]
"""The objects that training scripts store beside the weights: their arguments (M2D), and arrays of a sampler (PANNs), which numpy 1 and
2 name differently."""
_COUNTERS = ("total_ops", "total_params")
"""Buffers that a counter of operations leaves in a network."""


def read_published(path: str) -> dict[str, Any]:
    """Read a checkpoint of tensors and plain values, and of nothing else. Raises ValueError for other files."""
    try:
        with torch.serialization.safe_globals(_PLAIN):
            content = torch.load(Path(path).expanduser(), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path}: not a checkpoint of tensors ({str(error).splitlines()[0]}). Where it is a whole file with other objects"
            " in it, load it where its own code is installed, and store its weights alone: torch.save({'model': weights}, NEW)"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: holds no mapping of weights")
    return content


def weights_of(content: Mapping[str, Any], prefixes: Sequence[str] = ()) -> dict[str, Tensor]:
    """Return the weights of a checkpoint, which may lie under `state_dict` or `model`, by the names in their network: those
    under the first prefix that any has, otherwise all. `module.` before a name is left by a network on several devices.
    """
    inner = content.get("state_dict", content.get("model", content))
    if not isinstance(inner, Mapping):
        raise ValueError("its `state_dict` or `model` holds no mapping of weights")
    weights = {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
    for prefix in (*prefixes, "module."):
        if own := {n.removeprefix(prefix): v for n, v in weights.items() if n.startswith(prefix)}:
            return own
    return weights


def load_strictly(
    network: nn.Module, weights: Mapping[str, Tensor], what: str, left_out: Sequence[str] = ()
) -> None:
    """Load weights; names that begin with one of `left_out` belong to other parts. Raises ValueError naming those that are
    missing, unknown or of another shape.
    """
    needless = tuple(left_out)
    own = {
        name: value
        for name, value in weights.items()
        if not (name.startswith(needless) or name.endswith(_COUNTERS))
    }
    expected = network.state_dict()
    faults = []
    if missing := expected.keys() - own.keys():
        faults.append(f"lacks {_few(missing)}")
    if unknown := own.keys() - expected.keys():
        faults.append(f"holds {_few(unknown)}, which it does not know")
    faults += [
        f"has {name} of the shape {list(own[name].shape)}, expected {list(value.shape)}"
        for name, value in expected.items()
        if name in own and own[name].shape != value.shape
    ]
    if faults:
        raise ValueError(f"these are not the weights of {what}: it {'; it '.join(faults[:3])}")
    network.load_state_dict(own)


def block_count(weights: Mapping[str, Tensor], prefix: str = "blocks.") -> int:
    """Return how many numbered blocks the weights have."""
    found = {n.removeprefix(prefix).split(".")[0] for n in weights if n.startswith(prefix)}
    return len(found)


def _few(names: Collection[str]) -> str:
    """Return the first names, and how many more there are."""
    first = ", ".join(sorted(names)[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"
