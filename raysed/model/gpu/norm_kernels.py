"""Kernels of a block's batch statistics and of the gradient through them.

Sums are taken in the parameters' type by each program, over programs in float64 and in a fixed order, so that
the same card gives the same bits.
"""

import triton
import triton.language as tl

from raysed.model.gpu.tiles import map_tile, tap_tile


@triton.jit
def map_moments(
    source,
    rows,
    squares,
    shape,
    TAPS: tl.constexpr,
    P: tl.constexpr,
    C: tl.constexpr,
):
    # Each program's sums of x - first and of its square, the first value, and how many: (programs, 4, channels).
    # With taps, also the sums of their products with each other: (programs, 16, 16).
    like: tl.constexpr = rows.dtype.element_ty
    program, programs = tl.program_id(0), tl.num_programs(0)
    c = tl.program_id(1) * C + tl.arange(0, C)
    none = tl.arange(0, P) * 0
    # Sums about a value near the mean lose no digits.
    first = tl.max(map_tile(source, none, none == 0, c, shape, TAPS, like), 0)
    total, square = tl.zeros([C], like), tl.zeros([C], like)
    count = tl.zeros([P], tl.int32)
    if TAPS:
        products = tl.zeros([16, 16], like)
    for tile in range(program, tl.cdiv(shape.pixels, P), programs):
        n = tile * P + tl.arange(0, P)
        valid = n < shape.pixels
        x = map_tile(source, n, valid, c, shape, TAPS, like)
        centred = tl.where(valid[:, None], x - first[None, :], 0.0)
        total += tl.sum(centred, 0)
        square += tl.sum(centred * centred, 0)
        count += valid.to(tl.int32)
        if TAPS:
            taps = tl.where(valid[:, None], tap_tile(source[0], n, valid, shape), 0.0)
            products += tl.dot(tl.trans(taps), taps, input_precision="ieee", out_dtype=like)
    row = rows + program * 4 * shape.channels + c
    inside = c < shape.channels
    tl.store(row, total, mask=inside)
    tl.store(row + shape.channels, square, mask=inside)
    tl.store(row + 2 * shape.channels, first, mask=inside)
    tl.store(row + 3 * shape.channels, tl.zeros([C], like) + tl.sum(count, 0), mask=inside)
    if TAPS:
        k = tl.arange(0, 16)
        place = squares + program * 256 + k[:, None] * 16 + k[None, :]
        tl.store(place, products, mask=tl.program_id(1) == 0)


@triton.jit
def finish_norm(
    rows,
    running,
    affine,
    norm,
    sizes,
    EPS: tl.constexpr,
    MOMENTUM: tl.constexpr,
    TRAINS: tl.constexpr,
    R: tl.constexpr,
    C: tl.constexpr,
):
    # norm (5, channels): mean, 1 / deviation, scale, shift, count; the running statistics move.
    n_rows, channels = sizes[0], sizes[1]
    c = tl.program_id(0) * C + tl.arange(0, C)
    inside = c < channels
    if TRAINS:
        total, square = tl.zeros([C], tl.float64), tl.zeros([C], tl.float64)
        count = tl.zeros([C], tl.float64)
        for start in range(0, n_rows, R):
            r = start + tl.arange(0, R)
            row = rows + r[:, None] * 4 * channels + c[None, :]
            there = (r < n_rows)[:, None] & inside[None, :]
            part = tl.load(row, mask=there, other=0.0).to(tl.float64)
            squared = tl.load(row + channels, mask=there, other=0.0).to(tl.float64)
            first = tl.load(row + 2 * channels, mask=there, other=0.0).to(tl.float64)
            each = tl.load(row + 3 * channels, mask=there, other=0.0).to(tl.float64)
            count += tl.sum(each, 0)
            total += tl.sum(part + each * first, 0)
            square += tl.sum(squared + 2 * first * part + each * first * first, 0)
        count = tl.where(inside, count, 2.0)
        mean = total / count
        variance = tl.maximum(square / count - mean * mean, 0.0)
        old_mean = tl.load(running[0] + c, mask=inside, other=0.0).to(tl.float64)
        old_variance = tl.load(running[1] + c, mask=inside, other=0.0).to(tl.float64)
        unbiased = variance * count / (count - 1)
        tl.store(running[0] + c, old_mean + MOMENTUM * (mean - old_mean), mask=inside)
        tl.store(running[1] + c, old_variance + MOMENTUM * (unbiased - old_variance), mask=inside)
        if tl.program_id(0) == 0:
            tl.store(running[2], tl.load(running[2]) + 1)
        tl.store(norm + 4 * channels + c, count, mask=inside)
    else:
        mean = tl.load(running[0] + c, mask=inside, other=0.0).to(tl.float64)
        variance = tl.load(running[1] + c, mask=inside, other=0.0).to(tl.float64)
    rstd = 1.0 / tl.sqrt(variance + EPS)
    scale = tl.load(affine[0] + c, mask=inside, other=0.0) * rstd
    shift = tl.load(affine[1] + c, mask=inside, other=0.0) - mean * scale
    tl.store(norm + c, mean, mask=inside)
    tl.store(norm + channels + c, rstd, mask=inside)
    tl.store(norm + 2 * channels + c, scale, mask=inside)
    tl.store(norm + 3 * channels + c, shift, mask=inside)


@triton.jit
def finish_gradient(rows, norm, factors, sizes, R: tl.constexpr, C: tl.constexpr):
    # From rows (n, 2, channels), the sums of dy and of dy (x - mean): factors (5, channels), the a, b and c of
    # dx = a dy - b x - c, then the gradients of the normalisation's weight and bias.
    n_rows, channels = sizes[0], sizes[1]
    c = tl.program_id(0) * C + tl.arange(0, C)
    inside = c < channels
    total, centred = tl.zeros([C], tl.float64), tl.zeros([C], tl.float64)
    for start in range(0, n_rows, R):
        r = start + tl.arange(0, R)
        there = (r < n_rows)[:, None] & inside[None, :]
        row = rows + r[:, None] * 2 * channels + c[None, :]
        total += tl.sum(tl.load(row, mask=there, other=0.0).to(tl.float64), 0)
        centred += tl.sum(tl.load(row + channels, mask=there, other=0.0).to(tl.float64), 0)
    mean = tl.load(norm + c, mask=inside, other=0.0).to(tl.float64)
    rstd = tl.load(norm + channels + c, mask=inside, other=0.0).to(tl.float64)
    scale = tl.load(norm + 2 * channels + c, mask=inside, other=0.0).to(tl.float64)
    count = tl.load(norm + 4 * channels + c, mask=inside, other=1.0).to(tl.float64)
    slope = scale * rstd * rstd * centred / count
    tl.store(factors + c, scale, mask=inside)
    tl.store(factors + channels + c, slope, mask=inside)
    tl.store(factors + 2 * channels + c, scale * total / count - slope * mean, mask=inside)
    tl.store(factors + 3 * channels + c, centred * rstd, mask=inside)
    tl.store(factors + 4 * channels + c, total, mask=inside)


@triton.jit
def map_gradient(dy, maps, factors, shape, P: tl.constexpr, C: tl.constexpr):
    # dx = a dy - b x - c, in dy's place.
    like: tl.constexpr = factors.dtype.element_ty
    n = (tl.program_id(0) * P + tl.arange(0, P)).to(tl.int64)
    c = tl.program_id(1) * C + tl.arange(0, C)
    inside_C = c < shape.channels
    inside = (n < shape.pixels)[:, None] & inside_C[None, :]
    place = n[:, None] * shape.channels + c[None, :]
    a = tl.load(factors + c, mask=inside_C, other=0.0)
    b = tl.load(factors + shape.channels + c, mask=inside_C, other=0.0)
    constant = tl.load(factors + 2 * shape.channels + c, mask=inside_C, other=0.0)
    grad = tl.load(dy + place, mask=inside, other=0.0).to(like)
    x = tl.load(maps + place, mask=inside, other=0.0).to(like)
    tl.store(dy + place, a[None, :] * grad - b[None, :] * x - constant[None, :], mask=inside)
