"""The CPU half of the tables that a GPU fills, and how they are printed."""

import subprocess
import sys

import pytest

from benchmarks import gpu_graphs
from benchmarks.gpu_check import FIGURES, PARTS, kernel_lines, speed_lines, target_lines
from benchmarks.gpu_floor import floor_ms, map_bytes
from benchmarks.gpu_graphs import graph_rates
from benchmarks.gpu_kernels import kernel_lists
from benchmarks.gpu_mel import mel_throughput
from benchmarks.gpu_speed import PLAIN, TARGETS, steps_of, throughput
from raysed.config.trial import Model, Shares
from raysed.extras import EXTRAS
from tests.base_installation import HIDE
from tests.forked import fork_instead
from tests.paths import ROOT

SHARES = Shares(synthetic=1, unlabelled=2, weak=1)


def test_maps_of_the_published_model_in_bytes():
    # By hand: frames, bands and channels of blocks 2 to 7; the first is computed again.
    sizes = [
        (314, 64, 32),
        (157, 32, 64),
        (157, 16, 128),
        (157, 8, 128),
        (157, 4, 128),
        (157, 2, 128),
    ]
    assert map_bytes(Model(), 24) == 24 * 4 * sum(t * f * c for t, f, c in sizes)


def test_the_floor_is_the_sum_of_its_parts():
    found = floor_ms("cpu", SHARES)
    parts = [found[name] for name in ("maps", "products, TF32", "GRU")]
    assert min(parts) > 0
    assert found["sum"] == pytest.approx(sum(parts), abs=2e-3)


def test_a_row_is_printed_with_its_range_ratio_and_target():
    check = {
        "steps_per_s": {PLAIN: (40.0, 39.5, 41.0), "step, tf32": (130.0, 128.0, 131.25)},
        "ratios": {PLAIN: 1.0, "step, tf32": 3.25},
        "targets": TARGETS,
        "floor": {"maps": 0.5, "sum": 5.5},
    }
    plain, ours, floor = speed_lines(check)
    assert plain.split() == [
        *PLAIN.split(),
        "40.00",
        "(39.50",
        "to",
        "41.00)",
        "steps/s",
        "1.00x",
        "plain",
    ]
    assert ours.endswith("130.00 (128.00 to 131.25) steps/s   3.25x plain  target 3.0x")
    assert floor == "floor, ms: maps 0.5, sum 5.5"
    assert list(speed_lines({})) == []


def test_every_target_is_told_and_none_is_reached_by_default():
    speed = {
        "steps_per_s": {"step, tf32": (125.0, 124.0, 126.0)},
        "ratios": {"step, tf32": 3.0, "step, bfloat16": 3.4},
        "floor": {"maps": 1.0, "sum": 5.0},
    }
    assert list(target_lines({"throughput": speed, "mel_throughput": {"ratio": 2.5}})) == [
        "target step, tf32, against the plain step: 3; found 3.00: reached",
        "target step, bfloat16, against the plain step: 3.5; found 3.40: missed",
        "target 4 trials, tf32, together, against the plain step: 5; found -: not measured",
        "target 8 trials, tf32, together, against the plain step: 6; found -: not measured",
        "target 4 trials, tf32, as threads, against the plain step: 5; found -: not measured",
        "target 8 trials, tf32, as threads, against the plain step: 6; found -: not measured",
        "target step, tf32, in floors: 1.5; found 1.60: missed",
        "target DALI's mel against torchaudio's, batch 64: 2; found 2.50: reached",
    ]
    cut_off = list(target_lines({"throughput": {"ok": False, "error": "not finished"}}))
    assert len(cut_off) == 8 and all(line.endswith("not measured") for line in cut_off)
    assert set(FIGURES) <= PARTS.keys()


def test_a_machine_without_audio_packages_and_ray_can_take_the_figures():
    hidden = {"soundfile", "soxr", "librosa"} | {m for extra in EXTRAS.values() for m in extra}
    code = HIDE.format(hidden=hidden) + "import benchmarks.gpu_check"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_kernels_are_printed_under_the_name_of_their_step():
    lines = list(kernel_lines({"kernels": {"step": [("gemm", 1.5, 7.0)]}}))
    assert lines == ["step: milliseconds and launches of a step", "      1.500     7.0  gemm"]


@pytest.mark.slow
def test_every_row_is_there_and_the_steps_are_taken(monkeypatch):
    fork_instead(monkeypatch)
    found = throughput("cpu")
    names = [PLAIN, "plain eager PyTorch, TF32 off", "step, tf32", "step, float32"]
    names += ["step, tf32, plain blocks"]
    names += [f"{n} trials, tf32, {way}" for n in (1, 2) for way in ("together", "as threads")]
    assert found["ok"] and set(names) < found["steps_per_s"].keys()
    assert found["ratios"][PLAIN] == 1.0
    assert all(least <= middle <= most for middle, least, most in found["steps_per_s"].values())


@pytest.mark.slow
def test_graphs_are_told_beside_the_plain_step(monkeypatch):
    found = graph_rates("cpu")
    assert found["ok"] and "no graph" not in found
    names = [f"{n} trials, tf32, as threads, graphs" for n in (1, 2)]
    steps = [PLAIN, "step, tf32", "step, tf32, teacher aside"]
    assert list(found["steps_per_s"]) == [*steps, *names]

    def refused(device):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(gpu_graphs, "graphed_of", refused)
    found = graph_rates("cpu")
    assert found["ok"] and list(found["ratios"]) == steps
    assert found["no graph"].startswith("RuntimeError: operation not permitted")


@pytest.mark.slow
def test_kernels_and_mels_are_timed():
    lists = kernel_lists("cpu")["kernels"]
    assert lists.keys() == {PLAIN, "step, tf32"}
    assert all(ms > 0 and launches >= 1 / steps_of("cpu") for _, ms, launches in lists[PLAIN])
    found = mel_throughput("cpu")
    assert found["ok"] and (
        min(found["clips_per_s"].values()) > 0 if "clips_per_s" in found else True
    )
