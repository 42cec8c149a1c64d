"""Imported by servers from which processes of tests are forked: what each of these would import and set up anew."""

import pytest  # noqa: F401  what runs as `__main__`, which every process looks at again
import torch._dynamo  # noqa: F401
from numba.core.registry import cpu_target

import raysed.data.build.stages
import raysed.data.features.mel_dali
import raysed.data.soundscapes.soundscape
import raysed.training.train  # noqa: F401

# numba does so before its first kernel, in half a CPU second.
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
