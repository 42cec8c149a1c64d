"""bfloat16 in compiled loops against torch's own type, and where its products are used."""

import numpy as np
import pytest
import torch
from numba import njit

from raysed.model.cpu import bfloat16
from raysed.model.cpu.bfloat16 import bits_of, narrowed, products_type, widened

HALF, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64


@njit
def copied(source_N: np.ndarray, target_N: np.ndarray) -> None:
    for n in range(len(source_N)):
        target_N[n] = narrowed(widened(source_N[n]), target_N)


@pytest.mark.parametrize(
    ("storage", "parameters", "units", "expected"),
    [
        (HALF, SINGLE, True, HALF),
        (HALF, SINGLE, False, SINGLE),
        (HALF, DOUBLE, False, DOUBLE),
        (torch.float16, SINGLE, True, SINGLE),
        (SINGLE, SINGLE, True, SINGLE),
        (DOUBLE, DOUBLE, True, DOUBLE),
    ],
)
def test_products_are_in_half_where_it_is_stored_and_multiplied_faster(
    monkeypatch: pytest.MonkeyPatch,
    storage: torch.dtype,
    parameters: torch.dtype,
    units: bool,
    expected: torch.dtype,
) -> None:
    monkeypatch.setattr(bfloat16, "has_fast_products", lambda: units)
    assert products_type(storage, parameters) == expected


@pytest.mark.parametrize(
    ("able", "expected"),
    [
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_tile": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_tile": False}, False),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True, "amx_tile": False}, True),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": False}, False),
        ({}, False),
    ],
)
def test_which_processors_multiply_bfloat16_faster(
    monkeypatch: pytest.MonkeyPatch, able: dict, expected: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    monkeypatch.setattr(
        torch.cpu, "_is_amx_tile_supported", lambda: able.get("amx_tile", False), raising=False
    )
    assert bfloat16.has_fast_products() is expected


def test_a_torch_without_the_question_goes_the_way_of_every_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("get_capabilities", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert bfloat16.has_fast_products() is False


def test_every_value_is_widened_as_torch_does() -> None:
    values = torch.arange(1 << 16, dtype=torch.int32).to(torch.uint16).view(HALF)
    found = np.empty(1 << 16, np.float32)
    copied(bits_of(values), found)
    np.testing.assert_array_equal(found, values.float().numpy())
    back = torch.empty_like(values)
    copied(found, bits_of(back))
    assert torch.equal(back.isnan(), values.isnan())
    assert (bits_of(back) == bits_of(values))[~values.isnan().numpy()].all()


def test_numbers_are_rounded_as_torch_does() -> None:
    random = torch.Generator().manual_seed(0)
    drawn = torch.randn(4096, generator=random) * torch.logspace(-40, 38, 4096)
    # Halfway between two neighbours, both ways; beyond the largest; not a number with only its last bits set.
    halves = torch.tensor([0x3F808000, 0x3F818000, 0x7F7FFFFF, 0x7F800001], dtype=torch.int32)
    values = torch.cat([drawn, halves.view(SINGLE), -halves[:3].view(SINGLE)])
    found = torch.empty(len(values), dtype=HALF)
    copied(values.numpy(), bits_of(found))
    torch.testing.assert_close(found, values.to(HALF), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE, HALF])
def test_bits_are_the_tensors_own_memory(dtype: torch.dtype) -> None:
    values = torch.zeros(3, dtype=dtype)
    bits_of(values)[1] = 0x4000 if dtype is HALF else 2
    assert values.tolist() == [0, 2, 0]
