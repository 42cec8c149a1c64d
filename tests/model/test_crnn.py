from typing import Any

import pytest
import torch

from raysed.config.trial import Model
from raysed.model.crnn import CRNN, GatedLinearUnit

SMALL = Model(filters=(3, 5), pooling=((2, 2), (1, 4)), gru_units=4, dropout=0.0)


def drawn(config=SMALL, seed=0, n_classes=3):
    model = CRNN(config, n_classes)
    model.initialise(torch.Generator().manual_seed(seed))
    return model.eval()


def test_published_size():
    model = CRNN(Model(), 10)
    parts = {
        "blocks": 612_688,
        "gru": 494_592,
        "strong": 2_570,
        "attention": 2_570,
    }
    for name, expected in parts.items():
        assert sum(p.numel() for p in getattr(model, name).parameters()) == expected
    assert sum(p.numel() for p in model.parameters()) == 1_112_420


def test_published_frames():
    with torch.no_grad():
        strong_BUK, weak_BK = CRNN(Model(), 10).eval()(torch.zeros(1, 628, 128))
    assert strong_BUK.shape == (1, 157, 10)
    assert weak_BK.shape == (1, 10)


def test_gate_is_the_unprojected_input():
    glu = GatedLinearUnit(2)
    with torch.no_grad():
        glu.linear.weight.copy_(torch.tensor([[0.0, 2.0], [1.0, 0.0]]))
        glu.linear.bias.copy_(torch.tensor([0.5, 0.0]))
        out = glu(torch.tensor([1.0, 3.0]).view(1, 2, 1, 1)).flatten()
    expected = torch.tensor([6.5, 1.0]) * torch.sigmoid(torch.tensor([1.0, 3.0]))
    assert torch.allclose(out, expected)


@pytest.mark.parametrize("axis", ["class", "time"])
def test_weak_is_a_weighted_mean_of_strong(axis):
    config = SMALL.model_copy(update={"attention_axis": axis})
    with torch.no_grad():
        strong_BUK, weak_BK = drawn(config)(torch.randn(4, 20, 8))
    assert (weak_BK >= strong_BUK.amin(1) - 1e-6).all()
    assert (weak_BK <= strong_BUK.amax(1) + 1e-6).all()


def test_attention_axis_changes_the_weak_scores_only():
    mel = torch.randn(2, 20, 8, generator=torch.Generator().manual_seed(1))
    by_class = drawn(SMALL)
    by_time = drawn(SMALL.model_copy(update={"attention_axis": "time"}))
    for model in (by_class, by_time):
        with torch.no_grad():
            model.attention.weight.mul_(500)
    with torch.no_grad():
        (strong_a, weak_a), (strong_b, weak_b) = by_class(mel), by_time(mel)
    assert torch.equal(strong_a, strong_b)
    assert not torch.allclose(weak_a, weak_b, atol=1e-5)


def test_max_pooling_is_an_option():
    highest: Any = CRNN(SMALL.model_copy(update={"pool": "max"}), 3).blocks[0]
    mean: Any = CRNN(SMALL, 3).blocks[0]
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert highest.pool(x).flatten().tolist() == [5.0, 7.0, 13.0, 15.0]
    assert mean.pool(x).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_bands_that_do_not_pool_to_one_are_refused():
    with pytest.raises(ValueError, match="16 mel bands leave 2 after pooling; expected 1"):
        drawn()(torch.zeros(1, 20, 16))


def test_initial_weights():
    model = drawn(Model(), n_classes=10)
    conv = model.blocks[3].conv
    bound = (2 * 6 / (64 * 9 + 128 * 9)) ** 0.5
    assert conv.weight.abs().max() <= bound
    assert conv.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert conv.bias.abs().max() == 0
    assert model.blocks[6].glu.linear.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert model.strong.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert model.blocks[6].norm.weight.std().item() == pytest.approx(0.02, rel=0.25)
    hidden = model.gru.weight_hh_l0
    assert torch.allclose(hidden.T @ hidden, torch.eye(128), atol=1e-5)


def test_initial_weights_follow_the_generator():
    a, b, c = drawn(seed=1), drawn(seed=1), drawn(seed=2)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.gru.bias_ih_l0, c.gru.bias_ih_l0)
