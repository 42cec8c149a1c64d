"""What a step sees: each network's own input, and the labels that belong to it."""

import pytest
import torch

from raysed.config.augmentation import Augmentation
from raysed.config.trial import Consistency, Teacher
from raysed.storage.folder import Folder
from raysed.training.batches import BatchSource
from raysed.training.inputs import Normaliser
from raysed.training.ranks import Ranks
from raysed.training.step_inputs import StepInputs, class_weights
from raysed.training.train import train
from tests.training.tiny import CLASSES, sets, trial, with_waveforms


def inputs(step=0, rank=Ranks(), data=None, **change):  # noqa: B008
    source = BatchSource(trial(**change), data or sets(), 5, rank)
    made = StepInputs(trial(**change), source, "cpu")
    return made(next(source.epoch(0)), step, Normaliser.identity(8))


def test_without_noise_and_filter_both_networks_see_one_tensor():
    student, teacher, targets = inputs(teacher=Teacher(snr_db=None))
    assert teacher is student and student.shape == (7, 63, 8)
    assert (len(targets.strong_SUK), len(targets.weak_WK)) == (2, 2)
    assert targets.class_weights_K is None


def test_noise_is_the_teachers_alone():
    clean, _, _ = inputs(teacher=Teacher(snr_db=None))
    student, teacher, _ = inputs(teacher=Teacher(snr_db=10.0))
    assert torch.equal(student, clean) and not torch.equal(teacher, clean)


def test_a_mask_is_the_floor_in_both():
    mask = Augmentation(time_mask=(0.2, 0.2))
    student, teacher, targets = inputs(augmentation=mask)
    floor = student[:2].amin((1, 2), keepdim=True)
    frames = (student[:2] == floor).all(2)
    assert frames.sum(1).tolist() == [12, 12], "0.2 of 15 output frames of 4 frames"
    assert torch.equal((teacher[:2] == teacher[:2].amin((1, 2), keepdim=True)).all(2), frames)
    start = int(frames[0].nonzero()[0]) // 4
    assert not targets.strong_SUK[:, start : start + 3].any()


RECIPE = Augmentation(
    time_shift_s=0.1,
    mixup="soft",
    mixup_probability=1.0,
    time_mask=(0.1, 0.3),
    filter_augment="step",
)


@pytest.mark.parametrize("noise", ["mel", "waveform"])
@pytest.mark.parametrize("world", [2, 3, 7])
def test_ranks_see_parts_of_what_one_process_sees(world, noise):
    data = sets() if noise == "mel" else {k: with_waveforms(v) for k, v in sets().items()}
    change = {"augmentation": RECIPE, "teacher": Teacher(snr_db=20.0, noise_domain=noise)}
    student, teacher, targets = inputs(4, data=data, **change)
    plain, _, _ = inputs(4, data=data, teacher=change["teacher"])
    assert not torch.equal(student, plain)
    strong, weak = [], []
    for rank in range(world):
        own = inputs(4, Ranks(rank, world), data, **change)
        assert torch.equal(own[0], student[rank::world])
        assert torch.equal(own[1], teacher[rank::world])
        strong.append(own[2].strong_SUK)
        weak.append(own[2].weak_WK)
    for ours, whole in ((strong, targets.strong_SUK), (weak, targets.weak_WK)):
        assert torch.equal(torch.cat(ours).sum(0), whole.sum(0))


def test_class_weights_by_label():
    assert class_weights({}, CLASSES) is None
    assert class_weights({"Dog": 0.5}, CLASSES).tolist() == [1.0, 0.5]
    with pytest.raises(ValueError, match="class_weights names Cow; the classes are Cat, Dog"):
        class_weights({"Cow": 0.5}, CLASSES)


def test_an_unknown_class_is_refused_before_training(tmp_path):
    config = trial(consistency=Consistency(class_weights={"Cow": 2.0}))
    with pytest.raises(ValueError, match="names Cow"):
        train(config, sets(), Folder(str(tmp_path)), seed=0)
    assert not (tmp_path / "checkpoints").exists()
