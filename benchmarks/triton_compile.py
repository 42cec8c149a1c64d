"""`python -m benchmarks.triton_compile`: the fused block's kernels, compiled for a GPU on a machine without one.

Triton's own compiler and assembler do it; nothing runs. For every kernel of the published model's blocks, both
ways: registers of a thread, bytes that spill, shared memory of a program, and the matrix instructions it uses.
Exit code 1 where a kernel takes more shared memory than raysed/model/gpu/launches.py says. About a minute.
"""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import torch
import triton
import typer
from rich.console import Console
from rich.table import Table
from triton.backends.compiler import GPUTarget
from triton.runtime.jit import JITFunction

from raysed.config.trial import Model
from raysed.model.crnn import ConvBlock
from raysed.model.gpu import launches
from raysed.model.gpu.triton_block import TritonBlock, TritonSettings

SHARED_BYTES = {80: 166_912, 86: 101_376, 89: 101_376, 90: 232_448}
"""Shared memory of a program by compute capability: A100, RTX 30, RTX 40, H100."""
BLOCKS = ((1, 16, (2, 2)), (16, 32, (2, 2)), (32, 64, (1, 2)), (64, 128, (1, 2)))
"""Input channels, channels and pooling of the published blocks that differ."""
_TOOL = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"


class _Target:
    """A stand-in for a driver, with all that Triton asks of it before it compiles."""

    def __init__(self, capability: int) -> None:
        self.target = GPUTarget("cuda", capability, 32)

    def get_current_target(self) -> GPUTarget:
        return self.target

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int = 0) -> int:
        return device

    def map_python_to_cpp_type(self, name: str) -> str:
        return name


@contextmanager
def compiled_only(capability: int, found: Callable[[str, Any], None]) -> Iterator[None]:
    """Compile every kernel that is launched, for this capability, and hand it to `found`; none runs."""
    run, before = JITFunction.run, triton.runtime.driver._active

    def compile_only(self: JITFunction, *arguments: Any, warmup: bool, **more: Any) -> Any:
        kernel = run(self, *arguments, warmup=True, **more)
        found(self.__name__, kernel)
        return kernel

    triton.runtime.driver.set_active(_Target(capability))
    try:
        with (
            patch.object(JITFunction, "run", compile_only),
            patch.object(launches, "_shared_bytes", lambda device: SHARED_BYTES[capability]),
        ):
            yield
    finally:
        triton.runtime.driver._active = before


def take_block_both_ways(sizes: tuple[int, int, tuple[int, int]], storage: torch.dtype) -> None:
    """Launch all kernels of a block on a clip of 16 frames and bands."""
    inputs, channels, pooling = sizes
    like = torch.float64 if storage == torch.float64 else torch.float32
    block = ConvBlock(inputs, channels, pooling, Model(filters=(channels,), pooling=(pooling,)))
    block.to(like)
    x = torch.randn(1, inputs, 16, 16, dtype=storage if inputs > 1 else like)
    settings = TritonSettings(block.norm, pooling, 0.5, all_ranks=False, storage=storage)
    parts = (block.conv, block.norm, block.glu.linear)
    parameters = [p for part in parts for p in (part.weight, part.bias)]
    TritonBlock.apply(settings, x.requires_grad_(inputs > 1), *parameters).sum().backward()


def resources_of(kernel: Any) -> dict[str, Any]:
    """Return what a compiled kernel takes, by the assembler's own report."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(kernel.asm["cubin"])
        file.flush()
        command = [str(_TOOL), "--dump-resource-usage", file.name]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = re.search(r"REG:(\d+) STACK:(\d+)", said)
    assert used is not None, said
    ptx = kernel.asm["ptx"]
    names = {"wgmma.mma_async": "wgmma", "mma.sync": "mma"}
    products = next((short for name, short in names.items() if name in ptx), "none")
    return {
        "registers": int(used[1]),
        "spilled": int(used[2]),
        "shared": kernel.metadata.shared,
        "warps": kernel.metadata.num_warps,
        "products": products,
    }


def compile_all(
    capability: int, storage: torch.dtype, blocks: tuple[Any, ...] = BLOCKS
) -> list[dict[str, Any]]:
    """Return a row for every kernel of these blocks; products are TF32 where the type is float32."""
    rows: list[dict[str, Any]] = []
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = True
    try:
        for sizes in blocks:

            def keep(name: str, kernel: Any, channels: int = sizes[1]) -> None:
                rows.append({"kernel": name, "channels": channels, **resources_of(kernel)})

            with compiled_only(capability, keep):
                take_block_both_ways(sizes, storage)
    finally:
        torch.backends.cudnn.allow_tf32 = before
    return rows


def too_large(rows: list[dict[str, Any]]) -> list[str]:
    """Return the kernels that take more shared memory than is allowed for."""
    tables = {"gate_forward": launches.FORWARD, "gate_backward": launches.BACKWARD}
    return [
        f"{row['kernel']}, {row['channels']} channels: {row['shared']} bytes"
        for row in rows
        if row["kernel"] in tables
        and row["shared"] > 1024 * tables[row["kernel"]][row["channels"]].shared_kb
    ]


def main(
    capability: Annotated[int, typer.Option(help="80, 86, 89 or 90.")] = 90,
    storage: Annotated[str, typer.Option(help="float32, bfloat16 or float16.")] = "float32",
) -> None:
    """Compile and print."""
    rows = compile_all(capability, getattr(torch, storage))
    table = Table(*rows[0], title=f"sm_{capability}, {storage}, Triton {triton.__version__}")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=110).print(table)
    for line in too_large(rows):
        print(f"more shared memory than raysed/model/gpu/launches.py says: {line}")
    raise typer.Exit(bool(too_large(rows)))


if __name__ == "__main__":
    typer.run(main)
