"""Sets that annotate some classes only: what is masked, what it divides by, and what it is good for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy

from raysed.config.trial import Optimiser, Schedule, Shares, TrialData
from raysed.data.clip import Event, SoftEvent
from raysed.data.features.store import strong_labels
from raysed.data.labels import hard
from raysed.evaluation.counts.statistics import Statistics
from raysed.evaluation.intervals.significance import paired_difference
from raysed.evaluation.metrics.event_f1 import event_f1
from raysed.model.crnn import CRNN
from raysed.storage.folder import Folder
from raysed.training.batches import BatchSource, LabelledPairs
from raysed.training.inputs import Normaliser
from raysed.training.mean_teacher import Targets, loss_terms
from raysed.training.network_scores import score_set
from raysed.training.scoring import reference_of, statistics_of
from raysed.training.train import train
from tests.training.tiny import CLASSES, FEATURES, feature_set, sets, trial

SHARES = Shares(synthetic=2, strong={"second": 2}, unlabelled=1, weak=2)
DATA = TrialData(
    synthetic="synthetic",
    unlabelled="unlabelled",
    weak="weak",
    xvalid=("dry",),
    evaluation=("validation",),
)


def two_sets() -> dict:
    second = replace(feature_set("second", 7, seed=9), annotates=("Dog",))
    return sets() | {"second": second}


def source_of(**change) -> BatchSource:
    return BatchSource(trial(data=DATA, shares=SHARES, **change), two_sets(), seed=3)


def scores(seed: int, clips: int = 7, frames: int = 5, classes: int = 2):
    random = torch.Generator().manual_seed(seed)
    shapes = ((clips, frames, classes), (clips, classes))
    made = [torch.rand(shape, generator=random, dtype=torch.float64) for shape in shapes]
    return [each.clamp(0.01, 0.99).requires_grad_() for each in made]


def test_a_batch_has_a_share_of_each_strong_set_and_their_masks() -> None:
    source = source_of()
    batch = next(iter(source.epoch(0)))
    assert [name[:6] for name in batch.filenames] == ["synthe"] * 2 + ["second"] * 2 + [
        "unlabe"
    ] + ["weak00"] * 2
    assert batch.strong_SUK.shape == (4, 15, 2) and batch.annotated_BK is not None
    assert batch.annotated_BK.tolist() == [[1, 1]] * 2 + [[0, 1]] * 2 + [[1, 1]] * 3
    assert source.labelled_pairs == LabelledPairs(strong=2 * 2 + 2, weak=4, total=12)
    assert source.steps_per_epoch == 3  # 7 clips of the second set


def test_without_masks_a_batch_says_nothing_of_them() -> None:
    source = BatchSource(trial(), sets(), seed=3)
    assert next(iter(source.epoch(0))).annotated_BK is None and source.labelled_pairs is None


def masked_targets() -> Targets:
    random = torch.Generator().manual_seed(1)
    soft_SUK = torch.rand((4, 5, 2), generator=random, dtype=torch.float64)
    mask = torch.tensor([[1, 1]] * 2 + [[0, 1]] * 2 + [[1, 0], [1, 1], [0, 1]]).bool()
    weak_WK = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    return Targets(soft_SUK, weak_WK, SHARES, mask, LabelledPairs(strong=6, weak=3, total=10))


def test_masked_soft_losses_equal_a_hand_written_sum() -> None:
    student, teacher, targets = scores(2), scores(3), masked_targets()
    found = loss_terms(tuple(student), tuple(teacher), targets)
    mask, s, w = (
        targets.annotated_BK.numpy(),
        student[0].detach().numpy(),
        student[1].detach().numpy(),
    )
    st, wt = teacher[0].detach().numpy(), teacher[1].detach().numpy()
    sums, counts = np.zeros(4), np.zeros(4)
    for b in range(7):
        for k in range(2):
            if not mask[b, k]:
                continue
            sums[3] += (w[b, k] - wt[b, k]) ** 2
            counts[3] += 1
            if b >= 5:
                y = targets.weak_WK[b - 5, k].item()
                sums[0] -= y * np.log(w[b, k]) + (1 - y) * np.log(1 - w[b, k])
                counts[0] += 1
            for u in range(5):
                sums[2] += (s[b, u, k] - st[b, u, k]) ** 2
                counts[2] += 1
                if b < 4:
                    y = targets.strong_SUK[b, u, k].item()
                    sums[1] -= y * np.log(s[b, u, k]) + (1 - y) * np.log(1 - s[b, u, k])
                    counts[1] += 1
    np.testing.assert_allclose(found.detach().numpy(), sums / counts, rtol=0, atol=1e-12)


def test_gradients_of_masked_outputs_are_exactly_zero_and_of_others_are_not() -> None:
    student, teacher, targets = scores(2), scores(3), masked_targets()
    loss_terms(tuple(student), tuple(teacher), targets).sum().backward()
    masked = ~targets.annotated_BK
    strong, weak = student[0].grad, student[1].grad
    assert strong is not None and weak is not None
    assert bool((strong.transpose(1, 2)[masked] == 0).all()) and bool((weak[masked] == 0).all())
    assert bool((strong.transpose(1, 2)[~masked] != 0).all()) and bool((weak[~masked] != 0).all())


def test_with_every_class_annotated_the_masked_loss_is_the_other_one() -> None:
    student, teacher, targets = scores(2), scores(3), masked_targets()
    plain = replace(targets, annotated_BK=None, pairs=None)
    whole = replace(targets, annotated_BK=torch.ones(7, 2).bool(), pairs=LabelledPairs(8, 4, 14))
    found = [loss_terms(tuple(student), tuple(teacher), t).detach().numpy() for t in (plain, whole)]
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-12)
    expected = binary_cross_entropy(student[0][:4], targets.strong_SUK).item()
    assert found[0][1] == pytest.approx(expected, abs=1e-12)


def network() -> CRNN:
    config = trial().model.model_copy(update={"dropout": 0.0})
    made = CRNN(config, 3)
    made.initialise(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(made.attention.weight, generator=torch.Generator().manual_seed(1))
    return made.double().eval()


def test_masked_attention_equals_a_hand_written_softmax() -> None:
    made = network()
    mel_BTF = torch.rand((2, FEATURES.n_frames, FEATURES.n_mels), dtype=torch.float64)
    mask_BK = torch.tensor([[True, False, True], [True, True, True]])
    kept: list[torch.Tensor] = []
    made.attention.register_forward_hook(lambda module, given, result: kept.append(result.detach()))
    strong, weak = (each.detach().numpy() for each in made(mel_BTF, mask_BK))
    plain_strong, plain_weak = (each.detach().numpy() for each in made(mel_BTF))
    logits = np.where(mask_BK[:, None].numpy(), kept[0].numpy(), -np.inf)
    attention = np.exp(logits - logits.max(-1, keepdims=True))
    attention = np.clip(attention / attention.sum(-1, keepdims=True), 1e-7, 1)
    expected = (strong * attention).sum(1) / attention.sum(1)
    np.testing.assert_allclose(weak, expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(strong, plain_strong)
    assert (weak[0] != plain_weak[0]).any()
    np.testing.assert_array_equal(weak[1], plain_weak[1])


def test_no_gradient_reaches_the_attention_of_a_masked_class() -> None:
    made = network()
    mel_BTF = torch.rand((2, FEATURES.n_frames, FEATURES.n_mels), dtype=torch.float64)
    mask_BK = torch.tensor([[True, False, True]] * 2)
    with torch.enable_grad():
        weak = made.train()(mel_BTF, mask_BK)[1]
        weak.masked_fill(~mask_BK, 0.0).square().sum().backward()
    for layer in (made.attention, made.strong):
        grad = layer.weight.grad
        assert grad is not None and bool((grad[1] == 0).all())
        assert bool((grad[0] != 0).any()) and bool((grad[2] != 0).any())


def test_metrics_are_of_the_annotated_classes_alone() -> None:
    data = two_sets()["second"]
    model = network_of_two()
    scored = score_set(model, data, Normaliser.identity(FEATURES.n_mels), trial())
    reference = reference_of(data)
    assert reference.classes == scored.classes == ("Dog",)
    statistics = statistics_of(scored, reference, trial().postprocessing)
    assert statistics.event.n_ref_NK.shape == (7, 1)
    dogs = sum(event.event_label == "Dog" for events in data.events for event in events)
    assert statistics.event.n_ref_NK.sum() == dogs > 0


def network_of_two() -> CRNN:
    made = CRNN(trial().model, 2)
    made.initialise(torch.Generator().manual_seed(0))
    return made


def test_soft_labels_become_targets_and_hard_events() -> None:
    soft = (SoftEvent(0.0, 0.25, "Dog", 0.25), SoftEvent(0.25, 0.5, "Dog", 0.75), SoftEvent(0.5, 0.75, "Dog", 1.0),
            SoftEvent(0.0, 0.5, "Cat", 0.5))  # fmt: skip
    target_TK = strong_labels(soft, CLASSES, FEATURES, 1)
    assert target_TK.dtype == np.float32
    assert target_TK[[5, 20, 40, 60], 1].tolist() == [0.25, 0.75, 1.0, 0.0]
    assert target_TK[[5, 40], 0].tolist() == [0.5, 0.0]
    assert hard(soft) == (Event(0.25, 0.75, "Dog"),)  # above 0.5, touching ones united
    events = (Event(0.0, 1.0, "Dog"),)
    assert hard(events) == events


def toy(name: str, clips: int, seed: int, **change):
    """Clips in each of which Cat and Dog sound somewhere; `hidden` classes sound and are not labelled."""
    hidden = change.pop("hidden", ())
    made = feature_set(name, clips, seed=seed)
    random, half = np.random.default_rng([seed, 77]), FEATURES.n_mels // 2
    mels, events = [], []
    for _ in range(clips):
        mel_TF = random.uniform(0.05, 0.1, (FEATURES.n_frames, FEATURES.n_mels))
        found = []
        for k, label in enumerate(CLASSES):
            onset = float(random.uniform(0, 0.5))
            offset = onset + float(random.uniform(0.3, 0.5))
            frames = slice(int(onset * 16000 / 255), int(offset * 16000 / 255))
            mel_TF[frames, k * half : (k + 1) * half] *= 30
            if label not in hidden:
                found.append(Event(onset, offset, label))
        mels.append(mel_TF.astype(np.float16))
        events.append(tuple(found))
    weak = tuple(tuple(e.event_label for e in each) for each in events)
    return replace(made, mels=tuple(mels), events=tuple(events), weak_labels=weak, **change)


def trained(tmp_path, name: str, second, seed: int = 0) -> Statistics:
    data = {
        "first": toy("first", 48, 100 * seed + 1),
        "second": second,
        "dry": toy("dry", 16, 5),
        "test": toy("test", 80, 6),
    }
    config = trial(
        data=TrialData(synthetic="first", xvalid=("dry",), evaluation=("test",)),
        shares=Shares(synthetic=4, strong={"second": 4}, unlabelled=0, weak=0),
        schedule=Schedule(epochs=30, ramp_epochs=2),
        optimiser=Optimiser(learning_rate=1e-2, ramp=False),
        selection={"rule": "last"},
    )
    folder = Folder(str(tmp_path / name))
    train(config, data, folder, seed=seed)
    kept = Statistics.load(tmp_path / name / "statistics" / "test.dry.npz")
    return kept.without_psds()  # as `permuted` is


def permuted(tmp_path, name: str) -> Statistics:
    """What `trained` found, each clip's in another clip: what is known without hearing it."""
    return Statistics.load(tmp_path / name / "statistics" / "test.dry.permuted.npz")


@pytest.mark.slow
def test_masked_training_beats_unmasked_on_a_class_that_one_set_never_labels(tmp_path) -> None:
    # Not every seed beats its permuted predictions (benchmarks/masked_training.py); this one does.
    second = toy("second", 72, 2, hidden=("Cat",))
    masked = trained(tmp_path, "masked", replace(second, annotates=("Dog",)))
    unmasked = trained(tmp_path, "unmasked", second)

    def cat(statistics, weights_BN):
        return event_f1(statistics, weights_BN)[1][:, 0]

    for other in (unmasked, permuted(tmp_path, "masked")):
        gain = paired_difference(cat, masked, other, draws=1000, permutations=1000)
        assert gain.low > 0
