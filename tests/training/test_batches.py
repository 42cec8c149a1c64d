import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.trial import Schedule, Shares, Teacher
from raysed.training.batches import BatchSource, epoch_indices
from raysed.training.ranks import Ranks
from tests.training.tiny import FEATURES, feature_set, sets, trial, with_waveforms


@given(st.integers(1, 200), st.integers(1, 20), st.integers(0, 5))
def test_an_epoch_never_repeats_a_clip_and_drops_only_the_remainder(clips, share, epoch):
    rows = epoch_indices(clips, share, 0, epoch, "weak")
    assert rows.shape == (clips // share, share)
    assert len(set(rows.ravel())) == rows.size
    assert rows.size > clips - share


def test_order_depends_on_seed_epoch_and_subset_alone():
    first = epoch_indices(50, 5, 0, 0, "weak")
    assert np.array_equal(first, epoch_indices(50, 5, 0, 0, "weak"))
    for other in ((1, 0, "weak"), (0, 1, "weak"), (0, 0, "synthetic")):
        assert not np.array_equal(first, epoch_indices(50, 5, *other))


def test_desed_has_236_steps():
    weak, unlabelled = epoch_indices(1420, 6, 0, 0, "weak"), epoch_indices(14412, 12, 0, 0, "u")
    assert min(len(weak), len(unlabelled)) == 236


def test_batches_hold_synthetic_then_unlabelled_then_weak():
    data = sets()
    source = BatchSource(trial(), data, seed=0)
    assert source.steps_per_epoch == 4  # min(9 // 2, 13 // 3, 8 // 2)
    batches = list(source.epoch(0))
    assert len(batches) == 4
    for batch in batches:
        kinds = [name.rstrip("0123456789.wav") for name in batch.filenames]
        assert kinds == ["synthetic"] * 2 + ["unlabelled"] * 3 + ["weak"] * 2
        assert batch.mel_BTF.shape == (7, FEATURES.n_frames, 8)
        row = data["synthetic"].filenames.index(batch.filenames[0])
        assert np.array_equal(batch.mel_BTF[0], data["synthetic"].mels[row])
        assert np.array_equal(batch.strong_SUK[0], data["synthetic"].strong_NTK(4)[row])
        row = data["weak"].filenames.index(batch.filenames[-1])
        assert np.array_equal(batch.weak_WK[-1], data["weak"].weak_NK[row])


@pytest.mark.parametrize("world", [1, 3])
def test_resident_features_give_the_same_batches(world):
    for rank in range(world):
        mapped = BatchSource(trial(), sets(), 2, Ranks(rank, world))
        resident = BatchSource(trial(), sets(), 2, Ranks(rank, world))
        assert resident.make_resident("cpu")
        for ours, theirs in zip(resident.epoch(1), mapped.epoch(1), strict=True):
            assert ours.filenames == theirs.filenames
            assert torch.equal(ours.mel_BTF, theirs.mel_BTF)


def test_waveforms_come_along_where_the_trial_adds_its_noise_to_them():
    data = {name: with_waveforms(feature_set) for name, feature_set in sets().items()}
    assert next(BatchSource(trial(), data, 2).epoch(0)).waveforms is None
    config = trial(teacher=Teacher(noise_domain="waveform"))
    mapped, resident = BatchSource(config, data, 2), BatchSource(config, data, 2)
    assert resident.make_resident("cpu")
    for ours, theirs in zip(resident.epoch(1), mapped.epoch(1), strict=True):
        assert torch.equal(ours.waveforms.waveform_BT, theirs.waveforms.waveform_BT)
        assert torch.equal(ours.mel_BTF, theirs.mel_BTF)
        for row, name in enumerate(theirs.filenames):
            feature_set = data[name.rstrip("0123456789.wav")]
            stored_T = feature_set.waveforms[feature_set.filenames.index(name)]
            assert theirs.waveforms.samples_B[row] == len(stored_T)
            waveform_T = theirs.waveforms.waveform_BT[row].numpy()
            assert np.array_equal(waveform_T[: len(stored_T)], stored_T)
            assert not waveform_T[len(stored_T) :].any()


def test_waveform_noise_without_waveforms_is_refused():
    message = r"noise_domain is waveform, but synthetic \(synthetic\) was built without waveforms"
    with pytest.raises(ValueError, match=message):
        BatchSource(trial(teacher=Teacher(noise_domain="waveform")), sets(), 0)
    without_noise = Teacher(snr_db=None, noise_domain="waveform")
    assert BatchSource(trial(teacher=without_noise), sets(), 0).kinds == ("mel",)


def test_an_epoch_goes_on_from_any_step():
    source = BatchSource(trial(), sets(), seed=3)
    whole = [batch.filenames for batch in source.epoch(2)]
    assert [batch.filenames for batch in source.epoch(2, first_step=1)] == whole[1:]


def test_a_single_subset():
    source = BatchSource(trial(shares=Shares(synthetic=0, unlabelled=0, weak=4)), sets(), seed=0)
    batch = next(source.epoch(0))
    assert batch.strong_SUK.shape == (0, FEATURES.n_frames // 4, 2)
    assert batch.weak_WK.shape == (4, 2)


def test_fewer_steps_on_request():
    config = trial(schedule=Schedule(epochs=1, steps_per_epoch=2))
    assert BatchSource(config, sets(), seed=0).steps_per_epoch == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weak": feature_set("weak", 1)}, "weak .* holds 1 clips, fewer than its share of 2"),
        (
            {"weak": feature_set("weak", 8, classes=("Cat", "Cow"))},
            "class lists differ: .*Dog.*Cow",
        ),
        (
            {"unlabelled": feature_set("u", 9, features=FEATURES.model_copy(update={"n_mels": 4}))},
            "features differ",
        ),
        ({"weak": feature_set("weak", 8, weak=False)}, "has no clip labels"),
        ({"synthetic": feature_set("s", 8, strong=False)}, "has no events"),
    ],
)
def test_sets_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        BatchSource(trial(), sets() | change, seed=0)


def test_feature_sets_are_not_changed_by_batching():
    data = sets()
    before = data["weak"].mel(range(8)).copy()
    list(BatchSource(trial(), data, seed=0).epoch(0))
    assert np.array_equal(before, data["weak"].mel(range(8)))
