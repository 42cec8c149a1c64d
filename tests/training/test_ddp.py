"""Several ranks train as one process does; killed at any step, a trial ends with the same bits."""

import json
import time

import numpy as np
import pytest
import torch

from raysed.run.folders import LAST
from raysed.storage.folder import Folder
from raysed.training.batches import BatchSource
from raysed.training.checkpoint import load_checkpoint, save_checkpoint
from raysed.training.ranks import ALONE, Ranks
from raysed.training.train import train
from tests.forked import Forked
from tests.training.ddp_worker import (
    RECIPE,
    bfloat16,
    recipe,
    slow,
    ten_steps,
    tuned,
    waveform_noise,
    work,
)
from tests.training.tiny import sets, trial

EPOCHS, STEPS_PER_EPOCH = 3, 4
ALL_STEPS = EPOCHS * STEPS_PER_EPOCH
NEVER = (0, 0)
"""The step before which each rank stands still."""


def start(what, world, folder, *rest):
    """One process per rank."""
    mark = time.monotonic_ns()
    address = f"file://{folder}/rendezvous-{mark}"
    return [
        Forked(folder / f"errors-{mark}-{rank}", work, what, Ranks(rank, world), address, *rest)
        for rank in range(world)
    ]


def finish(processes):
    for process in processes:
        code, errors = process.finish()
        assert code == 0, errors[-2000:]


def flat(state, prefix=""):
    for key, value in state.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, torch.Tensor):
            yield f"{prefix}{key}", value


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    finish(start(ten_steps, 1, folder, folder / "state.pt"))
    return torch.load(folder / "state.pt", weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("world", [2, 3, 4])
def test_ranks_together_do_what_one_process_does(alone, tmp_path, world):
    finish(start(ten_steps, world, tmp_path, tmp_path / "state.pt"))
    together = torch.load(tmp_path / "state.pt", weights_only=True)
    assert alone["losses"].shape == (12, 5)
    assert torch.allclose(alone["losses"], together["losses"], rtol=0, atol=1e-9)
    expected = dict(flat({key: alone[key] for key in ("student", "teacher")}))
    for name, value in flat({key: together[key] for key in ("student", "teacher")}):
        if value.is_floating_point():
            assert (value - expected[name]).abs().max() < 1e-5, name
        else:
            assert torch.equal(value, expected[name]), name


@pytest.mark.slow
def test_two_ranks_in_bfloat16_are_near_one(tmp_path):
    """Each rank rounds its own part of the gradient, so they agree to bfloat16's digits."""
    finish(start(bfloat16, 2, tmp_path, tmp_path / "two"))
    train(trial(precision="bfloat16"), sets(), Folder(str(tmp_path / "one")), seed=7)
    losses = [
        json.loads((tmp_path / name / "progress.jsonl").read_text().splitlines()[0])
        for name in ("one", "two")
    ]
    assert (tmp_path / "two" / "result.json").exists()
    for term in ("loss", "weak", "strong"):
        assert losses[0][term] == pytest.approx(losses[1][term], rel=0.02), term


@pytest.mark.slow
def test_ranks_add_the_same_noise_to_waveforms(tmp_path):
    finish(start(waveform_noise, 2, tmp_path, tmp_path / "two"))
    waveform_noise(ALONE, tmp_path / "one")
    losses = [
        json.loads((tmp_path / name / "progress.jsonl").read_text()) for name in ("one", "two")
    ]
    for term in ("loss", "consistency_strong", "consistency_weak"):
        assert losses[0][term] == pytest.approx(losses[1][term], rel=1e-4), term
    assert losses[0]["consistency_strong"] > 0


@pytest.mark.slow
def test_ranks_tune_an_encoder_as_one_process_does(tmp_path):
    finish(start(tuned, 2, tmp_path, tmp_path / "two"))
    tuned(ALONE, tmp_path / "one")
    losses = [
        json.loads((tmp_path / name / "progress.jsonl").read_text()) for name in ("one", "two")
    ]
    for term in ("loss", "weak", "strong", "consistency_strong"):
        assert losses[0][term] == pytest.approx(losses[1][term], rel=1e-4), term
    one, two = (
        load_checkpoint(Folder(str(tmp_path / name)), LAST)[0]["networks"]["student"]
        for name in ("one", "two")
    )
    heard = [name for name in one if name.startswith("encoder.")]
    assert len(heard) == 4
    for name in heard:
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_ranks_augment_as_one_process_does(tmp_path):
    """Clips are mixed with clips of the other rank."""
    finish(start(recipe, 3, tmp_path, tmp_path / "three"))
    train(trial(**RECIPE), sets(), Folder(str(tmp_path / "one")), seed=7)
    losses = [
        [json.loads(line) for line in (tmp_path / name / "progress.jsonl").read_text().splitlines()]
        for name in ("one", "three")
    ]
    for ours, theirs in zip(*losses, strict=True):
        for term in ("loss", "weak", "strong", "consistency_strong", "consistency_weak"):
            assert ours[term] == pytest.approx(theirs[term], rel=1e-4), term


@pytest.mark.parametrize("world", [2, 3, 4, 7])
def test_ranks_share_the_global_batch(world):
    whole = list(BatchSource(trial(), sets(), seed=1).epoch(0))
    parts = [list(BatchSource(trial(), sets(), 1, Ranks(r, world)).epoch(0)) for r in range(world)]
    for step, batch in enumerate(whole):
        held = [part[step] for part in parts]
        assert sorted(name for b in held for name in b.filenames) == sorted(batch.filenames)
        assert max(len(b.filenames) for b in held) - min(len(b.filenames) for b in held) <= 1
        assert sum(len(b.strong_SUK) for b in held) == len(batch.strong_SUK)
        assert sum(len(b.weak_WK) for b in held) == len(batch.weak_WK)
        for b in held:
            assert [batch.filenames[p] for p in b.positions_B] == list(b.filenames)
            for row, position in enumerate(b.positions_B):
                assert np.array_equal(b.mel_BTF[row], batch.mel_BTF[position])


def test_more_ranks_than_clips_are_refused():
    with pytest.raises(ValueError, match="8 ranks for batches of 7 clips"):
        BatchSource(trial(), sets(), 0, Ranks(0, 8))


@pytest.fixture(scope="module")
def undisturbed(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(slow, request.param, folder, folder, 0, *NEVER))
    return request.param, folder


def steps_done(folder):
    path = folder / "steps.txt"
    return len(path.read_text().splitlines()) if path.exists() else 0


def kill_after(steps, world, folder):
    processes = start(slow, world, folder, folder, 0.05, ALL_STEPS, ALL_STEPS)
    while steps_done(folder) < steps:
        assert all(process.poll() is None for process in processes), "ended before the kill"
        time.sleep(0.005)
    # Any rank may be the one that dies first.
    for process in reversed(processes):
        process.kill()
    for process in processes:
        process.finish()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("undisturbed", "steps"),
    [(1, 2), (1, 3), (1, 5), (1, 6), (1, 9), (2, 3), (2, 6)],
    indirect=["undisturbed"],
)
def test_killed_at_any_step_ends_with_the_same_bits(undisturbed, tmp_path, steps):
    world, expected = undisturbed
    kill_after(steps, world, tmp_path)
    killed_at = steps_done(tmp_path)
    assert steps <= killed_at < ALL_STEPS, "the kill has to land in mid-work"
    assert not (tmp_path / "result.json").exists()
    finish(start(slow, world, tmp_path, tmp_path, 0, *NEVER))
    redone = steps_done(tmp_path) - killed_at
    assert redone < ALL_STEPS
    assert redone <= ALL_STEPS - killed_at + 2, "only what no checkpoint held is done again"
    for name in (LAST, "checkpoints/best-dry.pt", "checkpoints/best-plain.pt"):
        ours = dict(flat(load_checkpoint(Folder(str(tmp_path)), name)[0]))
        theirs = dict(flat(load_checkpoint(Folder(str(expected)), name)[0]))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours), name
    for name in ("validation.dry.npz", "validation.plain.teacher.npz"):
        path = f"statistics/{name}"
        assert (tmp_path / path).read_bytes() == (expected / path).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_dead_rank_ends_the_others_at_once(tmp_path, victim):
    # The victim stands still; the other waits for it in the middle of a step.
    held = [4 if rank == victim else 0 for rank in (0, 1)]
    processes = start(slow, 2, tmp_path, tmp_path, 0.05, *held)
    while steps_done(tmp_path) < 3:
        assert all(process.poll() is None for process in processes), "ended before the kill"
        time.sleep(0.005)
    processes[victim].kill()
    survivor = processes[1 - victim]
    # Far less than the process group's own time-out.
    code, errors = survivor.finish()
    processes[victim].finish()
    assert code == 1
    assert "Connection closed by peer" in errors or "Connection reset by peer" in errors


def test_another_number_of_ranks_is_refused(tmp_path):
    folder = Folder(str(tmp_path))
    train(trial(), sets(), folder, seed=7)
    (tmp_path / "result.json").unlink()
    tensors, about = load_checkpoint(folder, LAST)
    save_checkpoint(folder, LAST, tensors, {**about, "world": 2})
    with pytest.raises(ValueError, match=r"last\.pt was made by 2 ranks, this trial has 1"):
        train(trial(), sets(), folder, seed=7)
