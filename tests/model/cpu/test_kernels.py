"""Each loop against the array expression that it stands for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.model.cpu import kernels
from raysed.model.cpu.bfloat16 import bits_of

SIZES = st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4))


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


@settings(max_examples=20)
@given(SIZES)
def test_moments_are_added_to_what_is_there(sizes: tuple[int, int, int]) -> None:
    x_TFC, shift_C = drawn(*sizes), drawn(sizes[2], seed=1)
    sums_2C = np.ones((2, sizes[2]))
    kernels.moments(x_TFC, shift_C, sums_2C)
    centred_TFC = x_TFC - shift_C
    expected_2C = 1 + np.stack([centred_TFC.sum((0, 1)), (centred_TFC**2).sum((0, 1))])
    np.testing.assert_allclose(sums_2C, expected_2C, atol=1e-12)


@settings(max_examples=20)
@given(SIZES)
def test_gradient_sums_are_added_to_what_is_there(sizes: tuple[int, int, int]) -> None:
    dy_TFC, x_TFC, mean_C = drawn(*sizes), drawn(*sizes, seed=1), drawn(sizes[2], seed=2)
    sums_2C = np.ones((2, sizes[2]))
    kernels.gradient_sums(dy_TFC, x_TFC, mean_C, sums_2C)
    with_x_C = (dy_TFC * (x_TFC - mean_C)).sum((0, 1))
    np.testing.assert_allclose(sums_2C, 1 + np.stack([dy_TFC.sum((0, 1)), with_x_C]), atol=1e-12)


def test_affine_by_channel() -> None:
    x_TFC, y_MC = drawn(3, 4, 2), np.empty((12, 2))
    kernels.affine(x_TFC, np.array([2.0, -1.0]), np.array([0.5, 3.0]), y_MC)
    expected_TFC = x_TFC * [2, -1] + [0.5, 3]
    np.testing.assert_allclose(y_MC, expected_TFC.reshape(12, 2), rtol=1e-14)


def test_norm_gradient_in_place() -> None:
    dy_MC, x_MC, factors_3C = drawn(5, 2), drawn(5, 2, seed=1), drawn(3, 2, seed=2)
    expected_MC = factors_3C[0] * dy_MC - factors_3C[1] * x_MC - factors_3C[2]
    kernels.norm_gradient(dy_MC, x_MC, factors_3C)
    np.testing.assert_allclose(dy_MC, expected_MC, atol=1e-14)


def test_words_are_splitmix64s():
    words = np.zeros(3, np.uint64)
    kernels.random_words(1234567, 0, words)  # the published algorithm's first three of this seed
    assert words.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    later = words[:1].copy()
    kernels.random_words(1234567, 2, later)
    assert later[0] == words[2]


def test_patches_are_what_the_nine_weights_meet() -> None:
    padded_TF = np.arange(20.0).reshape(4, 5)
    taps_NTF = np.full((10, 2, 3), np.nan)
    kernels.patches(padded_TF, taps_NTF)
    for i in range(3):
        for j in range(3):
            np.testing.assert_array_equal(taps_NTF[3 * i + j], padded_TF[i : i + 2, j : j + 3])
    assert (taps_NTF[9] == 1).all()


def test_gate_pool_by_hand() -> None:
    """Two frames of three bands pooled by 2 x 2: the third band is left out, and one element dropped."""
    z_MC = np.array([[1.0], [2], [3], [4], [5], [6]])
    s_MC = np.array([[0.5], [0.5], [9], [0.25], [0.5], [9]])
    bytes_MC = np.array([[64], [255], [255], [63], [64], [255]], np.uint8)
    pooled_UVC = np.full((1, 1, 1), np.nan)
    # A quarter of the bytes drops: what is kept counts 4/3.
    kernels.gate_pool((z_MC, s_MC, bytes_MC), (64, 4 / 3, 2, 2), 3, pooled_UVC)
    assert pooled_UVC.item() == pytest.approx((0.5 + 1 + 0 + 2.5) / 4 * 4 / 3)


def test_sigmoid_of_numbers_and_of_bits() -> None:
    y = torch.cat([torch.linspace(-100, 100, 4001), torch.tensor([-1e30, 1e30, 0.0])])
    for each in (y, y.bfloat16()):
        found = np.full(len(y), np.nan, np.float32)
        kernels.sigmoid(bits_of(each), found)
        np.testing.assert_allclose(found, torch.sigmoid(each.double()).numpy(), rtol=0, atol=1e-6)
    assert found[-2:].tolist() == [1.0, 0.5]


@pytest.mark.parametrize(("pool_t", "pool_f"), [(1, 1), (2, 2), (1, 3)])
def test_gates_of_bits_are_those_of_the_numbers(pool_t: int, pool_f: int) -> None:
    frames, bands, channels = 5, 7, 3
    rules = (100, 256 / 156, pool_t, pool_f)
    random = torch.Generator().manual_seed(1)
    z_MC = torch.randn(frames * bands, channels, generator=random).bfloat16()
    s_MC = torch.rand(z_MC.shape, generator=random).numpy()
    bytes_MC = np.random.default_rng(2).integers(0, 256, z_MC.shape).astype(np.uint8)
    grad_UVC = torch.randn(frames // pool_t, bands // pool_f, channels, generator=random).numpy()
    found = {}
    for z in (z_MC.float(), z_MC.clone()):
        tile, dy_MC = (bits_of(z), s_MC, bytes_MC), torch.empty_like(z)
        pooled_UVC = np.empty_like(grad_UVC)
        kernels.gate_pool(tile, rules, bands, pooled_UVC)
        kernels.gate_gradient(tile, rules, bands, grad_UVC, bits_of(dy_MC))
        found[z.dtype] = pooled_UVC, z, dy_MC
    single, half = found[torch.float32], found[torch.bfloat16]
    np.testing.assert_array_equal(single[0], half[0])
    for exact, rounded in zip(single[1:], half[1:], strict=True):
        assert torch.equal(exact.bfloat16(), rounded)


def test_normalisation_of_bits_is_that_of_the_numbers() -> None:
    random = torch.Generator().manual_seed(3)
    x_TFC, dy_TFC = (torch.randn(3, 4, 2, generator=random).bfloat16() for _ in "12")
    scale_C, shift_C = np.float32([2.0, -0.3]), np.float32([0.1, 3.0])
    factors_3C = np.float32([[1.5, 0.5], [0.2, -0.1], [0.0, 0.7]])
    found = {}
    for x, dy in ((x_TFC.float(), dy_TFC.float()), (x_TFC, dy_TFC.clone())):
        y_MC, sums_42 = torch.empty(12, 2, dtype=x.dtype), np.zeros((4, 2))
        kernels.affine(bits_of(x), scale_C, shift_C, bits_of(y_MC))
        kernels.moments(bits_of(x), shift_C, sums_42[:2])
        kernels.gradient_sums(bits_of(dy), bits_of(x), shift_C, sums_42[2:])
        kernels.norm_gradient(bits_of(dy.view(12, 2)), bits_of(x.view(12, 2)), factors_3C)
        found[x.dtype] = y_MC, dy, sums_42
    single, half = found[torch.float32], found[torch.bfloat16]
    assert torch.equal(single[0].bfloat16(), half[0])
    assert torch.equal(single[1].bfloat16(), half[1])
    np.testing.assert_array_equal(single[2], half[2])


def pooled_of(y_MC: np.ndarray, arrays: tuple, rules: tuple, bands: int, u: int, v: int) -> float:
    """Sum of the pooled, each element weighted by its place, as a function of z and of the gate's input."""
    z_MC, bytes_MC = arrays
    pooled_UVC = np.empty((u, v, z_MC.shape[1]))
    kernels.gate_pool((z_MC, 1 / (1 + np.exp(-y_MC)), bytes_MC), rules, bands, pooled_UVC)
    return float((pooled_UVC * weights(pooled_UVC.shape)).sum())


def weights(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


@pytest.mark.parametrize(("pool_t", "pool_f"), [(1, 1), (2, 2), (1, 3)])
def test_gate_gradient_is_that_of_differences(pool_t: int, pool_f: int) -> None:
    frames, bands, channels = 3, 5, 2
    u, v = frames // pool_t, bands // pool_f
    rules = (100, 256 / 156, pool_t, pool_f)
    y_MC, z_MC = drawn(frames * bands, channels), drawn(frames * bands, channels, seed=1)
    bytes_MC = np.random.default_rng(2).integers(0, 256, z_MC.shape).astype(np.uint8)
    grad_z_MC, from_gate_MC = z_MC.copy(), np.full_like(z_MC, np.nan)
    kernels.gate_gradient(
        (grad_z_MC, 1 / (1 + np.exp(-y_MC)), bytes_MC),
        rules,
        bands,
        weights((u, v, channels)),
        from_gate_MC,
    )
    step = 1e-6
    for m in range(frames * bands):
        for c in range(channels):
            for array, found in ((z_MC, grad_z_MC), (y_MC, from_gate_MC)):
                values = []
                for sign in (1, -1):
                    moved = array.copy()
                    moved[m, c] += sign * step
                    inputs = (
                        (moved, (z_MC, bytes_MC)) if array is y_MC else (y_MC, (moved, bytes_MC))
                    )
                    values.append(pooled_of(*inputs, rules, bands, u, v))
                expected = (values[0] - values[1]) / (2 * step)
                assert found[m, c] == pytest.approx(expected, abs=1e-6)
