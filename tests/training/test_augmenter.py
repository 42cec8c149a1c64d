"""What each augmentation does to mels and labels, by hand and as properties."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from raysed.config.augmentation import Augmentation
from raysed.config.trial import Shares
from raysed.training.augmenter import Augmenter, Clips, band_gains, mixed, shifted
from tests.training.tiny import FEATURES, trial

SEED = 3


def clips(*, padded=False):
    """Seven clips: two strong, three without labels, two weak; each frame's mel tells its number."""
    random = torch.Generator().manual_seed(0)
    mel_BTF = torch.rand(7, 63, 8, generator=random) + 0.1
    frames_B = torch.full((7,), 63, dtype=torch.int32)
    if padded:
        frames_B[0], frames_B[6] = 30, 40
        mel_BTF[0, 30:], mel_BTF[6, 40:] = 0.0, 0.0
    strong_SUK = (torch.rand(2, 15, 2, generator=random) > 0.5).float()
    weak_WK = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    return Clips(mel_BTF, mel_BTF, frames_B, strong_SUK, weak_WK)


def augmenter(**values):
    return Augmenter(trial(augmentation=Augmentation(**values)), FEATURES, SEED)


def same(a, b):
    parts = ("student_BTF", "teacher_BTF", "frames_B", "strong_SUK", "weak_WK")
    return all(torch.equal(getattr(a, part), getattr(b, part)) for part in parts)


# --- mixup ------------------------------------------------------------------------------------------------


def test_mixup_by_hand():
    mel_BTF = torch.tensor([1.0, 3.0, 7.0, 9.0]).view(4, 1, 1)
    given = Clips(
        student_BTF=mel_BTF,
        teacher_BTF=10 * mel_BTF,
        frames_B=torch.tensor([1, 5, 2, 3]),
        strong_SUK=torch.tensor([[[1.0]], [[0.0]]]),
        weak_WK=torch.tensor([[0.0]]),
    )
    partner_B, share_B = torch.tensor([1, 0, 2, 3]), torch.tensor([0.75, 0.75, 1.0, 1.0])
    soft = mixed(given, partner_B, share_B, hard=False)
    assert soft.student_BTF.flatten().tolist() == [1.5, 2.5, 7.0, 9.0]
    assert soft.teacher_BTF.flatten().tolist() == [15.0, 25.0, 70.0, 90.0]
    assert soft.frames_B.tolist() == [5, 5, 2, 3]
    assert soft.strong_SUK.flatten().tolist() == [0.75, 0.25]
    assert soft.weak_WK.tolist() == [[0.0]]
    hard = mixed(given, partner_B, share_B, hard=True)
    assert torch.equal(hard.student_BTF, soft.student_BTF)
    assert hard.strong_SUK.flatten().tolist() == [1.0, 1.0]


def test_mixup_stays_within_its_set():
    shares = Shares(synthetic=2, unlabelled=2, weak=2, strong={"validation": 2})
    config = trial(shares=shares, augmentation=Augmentation(mixup="soft", mixup_probability=1.0))
    mel_BTF = torch.eye(8).unsqueeze(1)  # a clip is one mel band
    given = Clips(
        mel_BTF,
        mel_BTF,
        torch.ones(8, dtype=torch.int32),
        torch.eye(4).unsqueeze(1),
        torch.eye(2),
    )
    made = [Augmenter(config, FEATURES, SEED)(given, step) for step in range(20)]
    came_from = torch.stack([each.student_BTF[:, 0] for each in made]).amax(0) > 0
    pair = torch.ones(2, 2, dtype=torch.bool)
    expected = torch.block_diag(pair, pair, torch.eye(2).bool(), pair)
    assert torch.equal(came_from, expected)
    for each in made:
        assert torch.allclose(each.student_BTF.sum(2), torch.ones(8, 1))
        # Labels move with the sounds.
        assert torch.equal(each.strong_SUK[:, 0], each.student_BTF[:4, 0, :4])
        assert torch.equal(each.weak_WK, each.student_BTF[6:, 0, 6:])


def test_mixup_mixes_as_many_steps_as_it_says():
    given, tenth = clips(), augmenter(mixup="soft", mixup_probability=0.1)
    kept = [same(tenth(given, step), given) for step in range(400)]
    assert 0.85 < np.mean(kept) < 0.95


def test_the_proportion_is_a_beta():
    given = clips()
    given = replace(given, student_BTF=torch.zeros(7, 1, 1), weak_WK=torch.eye(2))
    given = replace(given, teacher_BTF=given.student_BTF, strong_SUK=torch.zeros(2, 1, 2))
    always = augmenter(mixup="soft", mixup_probability=1.0, mixup_beta=0.2)
    made = [always(given, step).weak_WK[0, 0].item() for step in range(600)]
    moved = np.array([share for share in made if share != 1.0])
    # Beta(0.2, 0.2): mean 1/2, variance 1 / (4 * 1.4) = 0.179; half of the permutations of two leave all.
    assert 0.4 < len(moved) / 600 < 0.6
    assert np.mean(moved) == pytest.approx(0.5, abs=0.06)
    assert np.var(moved) == pytest.approx(1 / (4 * 1.4), abs=0.02)


# --- time shift -------------------------------------------------------------------------------------------


def test_shift_by_hand():
    x = torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0, 9.0]] * 3).unsqueeze(2)
    made = shifted(x, torch.tensor([5, 5, 2]), torch.tensor([2, -1, 1]))
    assert made[..., 0].tolist() == [
        [3.0, 4.0, 0.0, 1.0, 2.0, 9.0],
        [1.0, 2.0, 3.0, 4.0, 0.0, 9.0],
        [1.0, 0.0, 2.0, 3.0, 4.0, 9.0],
    ]


def test_labels_are_shifted_with_the_sounds():
    given = clips(padded=True)
    # A clip's mel is loud exactly where its label is on.
    loud_BTF = given.student_BTF.clone()
    loud_BTF[:2, :60] = given.strong_SUK[:, :, :1].repeat_interleave(4, dim=1)
    given = replace(given, student_BTF=loud_BTF, teacher_BTF=loud_BTF + 1)
    given.strong_SUK[0, 7:] = 0.0  # 30 own frames are 7 whole output frames
    given.student_BTF[0, 28:] = 0.0
    moved = 0
    for step in range(10):
        made = augmenter(time_shift_s=0.5)(given, step)
        labels = made.strong_SUK[:, :, :1].repeat_interleave(4, dim=1)
        assert torch.equal(made.student_BTF[:2, :60, :1], labels)
        assert not made.student_BTF[0, 28:].any()
        assert torch.equal(made.weak_WK, given.weak_WK)
        assert torch.equal(made.student_BTF.sort(1).values, given.student_BTF.sort(1).values)
        moved += not torch.equal(made.strong_SUK, given.strong_SUK)
    assert moved > 5


def test_shifts_have_the_deviation_that_is_asked_for():
    mel_BTF = torch.zeros(7, 63, 8)
    mel_BTF[:, 0] = 1.0
    given = replace(clips(), student_BTF=mel_BTF, teacher_BTF=mel_BTF)
    small = augmenter(time_shift_s=0.1)  # 6.27 frames
    places = torch.cat([small(given, step).student_BTF[:, :, 0].argmax(1) for step in range(80)])
    frames = torch.where(places > 30, places - 60, places).double()
    assert frames.std().item() == pytest.approx(0.1 * 16000 / 255, rel=0.1)
    assert abs(frames.mean().item()) < 1.0


# --- time mask --------------------------------------------------------------------------------------------


def test_a_mask_silences_a_stretch_of_strong_clips_and_labels():
    given = replace(clips(), strong_SUK=torch.ones(2, 15, 2))
    widths, starts = set(), set()
    for step in range(60):
        made = augmenter(time_mask=(0.1, 0.4))(given, step)
        silent_BT = (made.student_BTF == 0).all(2)
        assert torch.equal(made.student_BTF[2:], given.student_BTF[2:])
        assert torch.equal(silent_BT[0], silent_BT[1])
        frames = silent_BT[0].nonzero().flatten()
        assert (frames.diff() == 1).all()
        off = (made.strong_SUK[0, :, 0] == 0).nonzero().flatten()
        assert (off[0] * 4, len(off) * 4) == (frames[0], len(frames))
        widths.add(len(off))
        starts.add(int(off[0]))
    # 0.1 and 0.4 of 15 output frames, rounded: 2 to 6.
    assert widths == {2, 3, 4, 5, 6} and min(starts) == 0 and max(starts) >= 11
    assert given.student_BTF.min() > 0, "what was given is left alone"


# --- FilterAugment ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "bands", "width"), [("step", (2, 4), 4), ("linear", (3, 5), 6)])
def test_bands_have_the_published_numbers_widths_and_gains(kind, bands, width):
    found = set()
    for seed in range(40):
        gains_BF = band_gains(kind, (3, 128), (-6.0, 6.0), np.random.default_rng(seed))
        assert gains_BF.shape == (3, 128) and np.abs(gains_BF).max() <= 6.0
        # Steps are constant in a band, lines have one slope; the bands are those of every clip.
        order = 1 if kind == "step" else 2
        bends = np.abs(np.diff(gains_BF, n=order, axis=1)).min(0) > 1e-4
        edges = np.flatnonzero(bends)
        if kind == "linear":  # an edge's gain stands twice, so that the slope bends on both sides
            edges = edges[np.append(True, np.diff(edges) > 1)]
            pieces = np.diff([-1, *edges + 1, 127])
        else:
            pieces = np.diff([-1, *edges, 127])
        found.add(len(pieces))
        assert pieces.min() >= width - 1
    assert found == set(range(bands[0], bands[1] + 1))


def test_steps_by_hand():
    class Fixed:
        def integers(self, low, high, size=None):
            return low if size is None else np.full(size, high - 1)

        def uniform(self, low, high, size):
            return np.array([[1.0, -2.0], [3.0, 0.5]])

    # Two bands of at least four: the edge is as far right as it may be, at 10 - 2 * 4 + 4 = 6.
    gains_BF = band_gains("step", (2, 10), (-6.0, 6.0), Fixed())
    assert gains_BF.tolist() == [[1.0] * 6 + [-2.0] * 4, [3.0] * 6 + [0.5] * 4]


def test_lines_by_hand():
    class Fixed:
        def integers(self, low, high, size=None):
            return low if size is None else np.zeros(size, int)

        def uniform(self, low, high, size):
            return np.array([[0.0, 5.0, 0.0, 2.0]])

    gains_BF = band_gains("linear", (1, 18), (-6.0, 6.0), Fixed())
    expected = [*range(6), *range(5, -1, -1), 0.0, 0.4, 0.8, 1.2, 1.6, 2.0]
    assert gains_BF[0] == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["step", "linear"])
@pytest.mark.parametrize("mels", [1, 3, 8, 11])
def test_few_mel_bands_are_filtered_too(kind, mels):
    for seed in range(20):
        gains_BF = band_gains(kind, (2, mels), (-6.0, -1.0), np.random.default_rng(seed))
        assert gains_BF.shape == (2, mels) and -6 <= gains_BF.min() <= gains_BF.max() <= -1


def test_student_and_teacher_are_filtered_apart_and_labels_stay():
    given = clips()
    made = augmenter(filter_augment="step")(given, 0)
    assert not torch.equal(made.student_BTF, made.teacher_BTF)
    assert torch.equal(made.strong_SUK, given.strong_SUK)
    gain_BTF = 20 * torch.log10(made.student_BTF / given.student_BTF)
    assert torch.allclose(gain_BTF, gain_BTF[:, :1].expand_as(gain_BTF), atol=1e-4)
    assert gain_BTF.abs().max() <= 6.001


# --- all --------------------------------------------------------------------------------------------------

ALL = {
    "mixup": {"mixup": "hard", "mixup_probability": 1.0},
    "shift": {"time_shift_s": 0.2},
    "mask": {"time_mask": (0.1, 0.2)},
    "filter": {"filter_augment": "linear"},
}


@pytest.mark.parametrize("name", ALL)
def test_a_step_is_drawn_by_its_number_alone(name):
    given = clips()
    first, second = augmenter(**ALL[name]), augmenter(**ALL[name])
    first(given, 0)
    assert same(first(given, 5), second(given, 5))
    steps = [first(given, step) for step in range(4)]
    assert not all(same(steps[0], step) for step in steps[1:])


@pytest.mark.parametrize("name", ["mixup", "shift", "mask"])
def test_both_networks_see_the_same_where_labels_move(name):
    given = clips()
    for step in range(4):
        made = augmenter(**ALL[name])(given, step)
        assert made.teacher_BTF is made.student_BTF
    noisy = replace(given, teacher_BTF=2 * given.student_BTF)
    made = augmenter(**ALL[name])(noisy, 1)
    assert torch.allclose(made.teacher_BTF, 2 * made.student_BTF)


def test_one_augmentation_leaves_the_draws_of_another():
    given = clips()
    both = {key: value for values in ALL.values() for key, value in values.items()}
    alone = augmenter(**ALL["mask"])(given, 2)
    together = augmenter(**both)(given, 2)
    assert torch.equal((alone.student_BTF == 0).all(2), (together.student_BTF == 0).all(2))


@pytest.mark.parametrize("world", [1, 2, 3])
def test_parts_are_the_whole(world):
    known = torch.arange(14).view(7, 2) % 3 > 0
    given = replace(clips(), annotated_BK=known)
    parts = [given.part(rank, world) for rank in range(world)]
    for rank, part in enumerate(parts):
        assert torch.equal(part.student_BTF, given.student_BTF[rank::world])
        assert part.teacher_BTF is part.student_BTF
        assert torch.equal(part.annotated_BK, known[rank::world])
        assert torch.equal(part.strong_SUK, given.strong_SUK[rank::world])
    weak = torch.cat([part.weak_WK for part in parts])
    assert torch.equal(weak.sort(0).values, given.weak_WK.sort(0).values)
    total = sum(len(part.frames_B) for part in parts)
    assert total == 7
