"""Adam that starts without torch's compiler, which torch's own imports at its first use: 1.3 CPU seconds of every trial."""

import inspect
from typing import Any

import torch

_GUARDED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
"""Methods that torch wraps so that its compiler leaves them alone. Nothing is compiled here."""


def _unguarded(kind: type[torch.optim.Adam]) -> type[torch.optim.Adam]:
    """Return torch's class with its own methods, out of their wrappers: the same steps, bit by bit."""
    methods: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in _GUARDED}
    # Its wrapper does this, too.
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**methods, "step": step})


Adam = _unguarded(torch.optim.Adam)
AdamW = _unguarded(torch.optim.AdamW)
