"""Kernels of a block's gated unit, dropout and average pooling, forward and backward.

Where a program holds all channels, the product with the gate's weights is its own; wider blocks are given
normalised maps and products. Programs take tile after tile in a fixed order and leave their sums apart, so
that the same card gives the same bits.
"""

import triton
import triton.language as tl

from raysed.model.gpu.tiles import (
    kept,
    kept_bits,
    map_tile,
    pixels_of,
    product,
    tap_matrix,
    tap_tile,
)


@triton.jit
def _row(pointer, row, c, channels):
    """Return a row of an array (rows, channels), 0 past its channels."""
    return tl.load(pointer + row * channels + c, mask=c < channels, other=0.0)


@triton.jit
def _weights(linear, c, channels):
    """Return the weights (outputs, inputs) and the bias of the gate's linear layer."""
    inside = (c < channels)[:, None] & (c < channels)[None, :]
    weight = tl.load(linear[0] + c[:, None] * channels + c[None, :], mask=inside, other=0.0)
    return weight, _row(linear[1], 0, c, channels)


@triton.jit
def gate_forward(
    source,
    pooled,
    parameters,
    key,
    shape,
    RULES: tl.constexpr,
    P: tl.constexpr,
    C: tl.constexpr,
):
    # parameters: norm (5, channels), and weight and bias of the gate.
    like: tl.constexpr = parameters[0].dtype.element_ty
    c = tl.arange(0, C)
    scale, shift = (
        _row(parameters[0], 2, c, shape.channels),
        _row(parameters[0], 3, c, shape.channels),
    )
    weight, bias = _weights((parameters[1], parameters[2]), c, shape.channels)
    weight = tl.trans(weight)
    for tile in range(tl.program_id(0), tl.cdiv(shape.windows, P), tl.num_programs(0)):
        w = tile * P + tl.arange(0, P)
        valid = w < shape.windows
        total = tl.zeros([P, C], like)
        for group in range(0, shape.draws):
            bits = kept_bits(key, w, c, group, RULES)
            for number in range(0, shape.at_once):
                n = pixels_of(w, group * shape.at_once + number, shape, RULES)
                x = map_tile(source, n, valid, c, shape, RULES.taps, like)
                y = x * scale[None, :] + shift[None, :]
                z = product(y, weight, RULES, like) + bias[None, :]
                total += kept(bits, number, z * tl.sigmoid(y), RULES)
        place = w.to(tl.int64)[:, None] * shape.channels + c[None, :]
        inside = valid[:, None] & (c < shape.channels)[None, :]
        tl.store(pooled + place, total * RULES.factor, mask=inside)


@triton.jit
def gate_backward(
    source,
    gradients,
    parameters,
    key,
    shape,
    RULES: tl.constexpr,
    P: tl.constexpr,
    C: tl.constexpr,
):
    # gradients: of the pooled output; then what is found, each program's own: dy of every pixel (or with taps
    # the sums of taps times dy), of the gate's weight and bias (channels + 1, channels), and the sums of dy and
    # of dy (x - mean).
    like: tl.constexpr = parameters[0].dtype.element_ty
    program, channels = tl.program_id(0), shape.channels
    c = tl.arange(0, C)
    inside_C = c < channels
    mean, scale = _row(parameters[0], 0, c, channels), _row(parameters[0], 2, c, channels)
    shift = _row(parameters[0], 3, c, channels)
    weight, bias = _weights((parameters[1], parameters[2]), c, channels)
    turned = tl.trans(weight)
    weight_grad, bias_grad = tl.zeros([C, C], like), tl.zeros([C], like)
    total, centred = tl.zeros([C], like), tl.zeros([C], like)
    if RULES.taps:
        matrix = tap_matrix(source[1], c, channels)
        taps_grad = tl.zeros([16, C], like)
    for tile in range(program, tl.cdiv(shape.windows, P), tl.num_programs(0)):
        w = tile * P + tl.arange(0, P)
        valid = w < shape.windows
        inside = valid[:, None] & inside_C[None, :]
        place = w.to(tl.int64)[:, None] * channels + c[None, :]
        grad = tl.load(gradients[0] + place, mask=inside, other=0.0).to(like) * RULES.factor
        for group in range(0, shape.draws):
            bits = kept_bits(key, w, c, group, RULES)
            for number in range(0, shape.at_once):
                n = pixels_of(w, group * shape.at_once + number, shape, RULES)
                if RULES.taps:
                    taps = tap_tile(source[0], n, valid, shape)
                    x = tl.dot(taps, matrix, input_precision="ieee", out_dtype=like)
                else:
                    x = map_tile(source, n, valid, c, shape, RULES.taps, like)
                y = x * scale[None, :] + shift[None, :]
                s = tl.sigmoid(y)
                z = product(y, turned, RULES, like) + bias[None, :]
                own = kept(bits, number, grad, RULES)
                dz = own * s
                dy = dz * z * (1.0 - s) + product(dz, weight, RULES, like)
                weight_grad += product(tl.trans(dz), y, RULES, like)
                bias_grad += tl.sum(dz, 0)
                total += tl.sum(dy, 0)
                centred += tl.sum(dy * (x - mean[None, :]), 0)
                if RULES.taps:
                    taps_grad += tl.dot(tl.trans(taps), dy, input_precision="ieee", out_dtype=like)
                else:
                    rows = n.to(tl.int64)[:, None] * channels
                    tl.store(gradients[1] + rows + c[None, :], dy, mask=inside)
    if RULES.taps:
        k = tl.arange(0, 16)
        rows = gradients[1] + (program * 16 + k)[:, None] * channels
        tl.store(rows + c[None, :], taps_grad, mask=(k < 16)[:, None] & inside_C[None, :])
    own_grads = gradients[2] + program * (channels + 1) * channels
    both = inside_C[:, None] & inside_C[None, :]
    tl.store(own_grads + c[:, None] * channels + c[None, :], weight_grad, mask=both)
    tl.store(own_grads + channels * channels + c, bias_grad, mask=inside_C)
    sums = gradients[3] + program * 2 * channels + c
    tl.store(sums, total, mask=inside_C)
    tl.store(sums + channels, centred, mask=inside_C)


@triton.jit
def given_forward(given, pooled, key, shape, RULES: tl.constexpr, P: tl.constexpr, C: tl.constexpr):
    # given: y (pixels, channels) and W y + b, computed before.
    w = tl.program_id(0) * P + tl.arange(0, P)
    c = tl.program_id(1) * C + tl.arange(0, C)
    inside = (w < shape.windows)[:, None] & (c < shape.channels)[None, :]
    total = tl.zeros([P, C], given[0].dtype.element_ty).to(tl.float32)
    if given[0].dtype.element_ty == tl.float64:
        total = total.to(tl.float64)
    for group in range(0, shape.draws):
        bits = kept_bits(key, w, c, group, RULES)
        for number in range(0, shape.at_once):
            n = pixels_of(w, group * shape.at_once + number, shape, RULES).to(tl.int64)
            place = n[:, None] * shape.channels + c[None, :]
            y = tl.load(given[0] + place, mask=inside, other=0.0).to(total.dtype)
            z = tl.load(given[1] + place, mask=inside, other=0.0).to(total.dtype)
            total += kept(bits, number, z * tl.sigmoid(y), RULES)
    place = w.to(tl.int64)[:, None] * shape.channels + c[None, :]
    tl.store(pooled + place, total * RULES.factor, mask=inside)


@triton.jit
def given_backward(given, grad, key, shape, RULES: tl.constexpr, P: tl.constexpr, C: tl.constexpr):
    # The gradient of W y + b in its place, and the gate's part of y's in y's place.
    w = tl.program_id(0) * P + tl.arange(0, P)
    c = tl.program_id(1) * C + tl.arange(0, C)
    inside = (w < shape.windows)[:, None] & (c < shape.channels)[None, :]
    place = w.to(tl.int64)[:, None] * shape.channels + c[None, :]
    pooled = tl.load(grad + place, mask=inside, other=0.0)
    if given[0].dtype.element_ty == tl.float64:
        pooled = pooled.to(tl.float64) * RULES.factor
    else:
        pooled = pooled.to(tl.float32) * RULES.factor
    for group in range(0, shape.draws):
        bits = kept_bits(key, w, c, group, RULES)
        for number in range(0, shape.at_once):
            n = pixels_of(w, group * shape.at_once + number, shape, RULES).to(tl.int64)
            place = n[:, None] * shape.channels + c[None, :]
            y = tl.load(given[0] + place, mask=inside, other=0.0).to(pooled.dtype)
            z = tl.load(given[1] + place, mask=inside, other=0.0).to(pooled.dtype)
            s = tl.sigmoid(y)
            dz = kept(bits, number, pooled, RULES) * s
            tl.store(given[0] + place, dz * z * (1.0 - s), mask=inside)
            tl.store(given[1] + place, dz, mask=inside)
