"""The step as counted for a GPU, against products written out by hand."""

import pytest
import torch

from benchmarks.roofline import Gpu, Step, Work, clips_per_s, gru_work, report, seconds, step_work
from raysed.config.trial import Model, Shares

SHARES = Shares(synthetic=1, unlabelled=2, weak=1)


def conv_gflop(clips: int) -> tuple[float, float]:
    """Forward of one network, and what the first layer's input gradient would have cost."""
    frames, bands, before, macs, first = 628, 128, 1, 0, 0
    model = Model()
    for channels, (pool_t, pool_f) in zip(model.filters, model.pooling, strict=True):
        layer = clips * frames * bands * 9 * before * channels
        first = first or layer
        macs += layer
        frames, bands, before = frames // pool_t, bands // pool_f, channels
    return 2e-9 * macs, 2e-9 * first


def test_products_are_those_of_the_layers():
    kinds = step_work(SHARES, Model(), torch.float32)
    forward, first = conv_gflop(SHARES.total)
    assert kinds["convolutions, forward"].flops / 1e9 == pytest.approx(2 * forward)
    # Gradients of weights and inputs; nothing asks for the gradient of the log-mels.
    assert kinds["convolutions, backward"].flops / 1e9 == pytest.approx(2 * forward - first)
    assert kinds["convolutions, forward"].launches == 14
    # Student and teacher, seven blocks and the dropout after the GRU.
    assert kinds["dropout"].launches == 2 * 8 + 8


def test_bytes_halve_in_bfloat16():
    full, half = (step_work(SHARES, Model(), d) for d in (torch.float32, torch.bfloat16))
    for kind in ("convolutions, forward", "pooling", "GRU"):
        assert half[kind].bytes == pytest.approx(full[kind].bytes / 2, rel=1e-3)
        assert half[kind].flops == full[kind].flops


def test_gru_by_hand():
    model = Model(gru_layers=1, gru_units=4, filters=(2,) * 7)
    # 1 clip, 157 frames, 2 directions, 3 gates of 4 units, each from 2 inputs and 4 units.
    macs = 157 * 2 * 3 * 4 * (2 + 4)
    work = gru_work(1, model, 4)
    assert work.flops == 2 * macs * 4  # two forward passes, one backward of twice the products
    assert work.bytes == 4 * 157 * (2 + 8) * 4


def test_a_kernel_takes_the_longest_of_products_bytes_and_the_shortest_kernel():
    gpu = Gpu(tflops={"float32": 1.0}, tb_s=1.0, shortest_us=1.0)
    work = Work()
    work.add(5e12, 1e12)
    work.add(1e12, 3e12)
    work.add(1.0, 1.0)
    assert seconds(work, gpu, "float32") == pytest.approx(5 + 3 + 1e-6)


def test_trials_fill_the_gpu_and_no_more():
    gpu = Gpu(tflops={}, tb_s=1.0, launch_us=1e6)
    kernels = Work(launches=10)
    step = Step(24, {"GRU": kernels}, {"GRU": 3.0, "rest": 1.0}, gru_products_s=1.0)
    # The host needs 10 s a step, the GPU 4, or 2 where recurrences overlap.
    assert clips_per_s(step, gpu, 1) == pytest.approx(24 / 10)
    assert clips_per_s(step, gpu, 2) == pytest.approx(48 / 10)
    assert clips_per_s(step, gpu, 4) == pytest.approx(24 / 4)
    assert clips_per_s(step, gpu, 8, at_once=True) == pytest.approx(24 / 2)


def test_report_names_all_that_is_printed():
    found = report(4)
    assert set(found["kernels"]) == set(found["clips_per_s"]) == {"float32", "bfloat16"}
    assert sum(row["gflop"] for row in found["kernels"]["float32"]) > 4 * 7
