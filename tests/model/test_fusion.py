import numpy as np
import pytest
import torch

from raysed.config.encoder import EmbeddingFusion
from raysed.config.trial import Model
from raysed.model.crnn import CRNN
from raysed.model.fusion import Fusion, Stream, distances, row_weights
from raysed.model.network import make_network

MODEL = Model(filters=(4, 6), pooling=((2, 2), (2, 4)), gru_units=3, gru_layers=1, dropout=0.0)
KINDS = ("pool", "interpolate", "attention")


def network(kind, seed=0, **change):
    fused = MODEL.model_copy(update={"embedding": EmbeddingFusion(fusion=kind, width=5), **change})
    return make_network(fused, 3, torch.Generator().manual_seed(seed))


def test_shares_of_rows_by_hand():
    """Rows of 2.5 frames over 6 frames: the third row is stretched to the end."""
    expected = [[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(row_weights("pool", 6, 3, 2.5), expected)
    # Rows of half a frame: each frame is the mean of two.
    np.testing.assert_allclose(row_weights("pool", 2, 4, 0.5), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    # Middles of rows at 1, 3 and 5 frames, of frames at 0.5, 1.5 ...
    expected = [
        [1, 0, 0],
        [0.75, 0.25, 0],
        [0.25, 0.75, 0],
        [0, 0.75, 0.25],
        [0, 0.25, 0.75],
        [0, 0, 1],
    ]
    np.testing.assert_allclose(row_weights("interpolate", 6, 3, 2.0), expected)
    np.testing.assert_allclose(distances(2, 2, 1.0), [[0, 1], [1, 0]])


@pytest.mark.parametrize("kind", ["pool", "interpolate"])
@pytest.mark.parametrize(
    "sizes", [(157, 125, 1.2549), (157, 63, 2.5098), (62, 997, 0.1), (5, 2, 1.0)]
)
def test_shares_of_a_frame_sum_to_one(kind, sizes):
    np.testing.assert_allclose(row_weights(kind, *sizes).sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_reaches_the_frames_of_its_time(kind):
    """The convolutions' features are the same everywhere, so that what differs is the row's."""
    fusion = Fusion(MODEL, EmbeddingFusion(fusion=kind, width=5)).eval()
    fusion.initialise(torch.Generator().manual_seed(0))
    if kind == "attention":
        with torch.no_grad():
            fusion.nearness.fill_(5.0)
    x_BUC = torch.zeros(1, 40, 6)
    rows_BRE = torch.zeros(1, 20, 5)
    rows_BRE[0, 7] = torch.tensor([3.0, -1.0, 0.0, 2.0, -4.0])
    with torch.no_grad():
        found = fusion(x_BUC, Stream(rows_BRE, 2.0)) - fusion(x_BUC, Stream(0 * rows_BRE, 2.0))
    changed_U = found[0].abs().sum(1)
    assert changed_U.argmax() in (14, 15) and changed_U[14] == pytest.approx(
        float(changed_U[15]), rel=1e-4
    )
    assert changed_U[[0, 10, 20, 39]].max() < 1e-3 * changed_U.max()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_weight(kind):
    model = network(kind).train()
    stream = Stream(torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(1)), 0.5)
    strong_BUK, weak_BK = model(torch.randn(2, 16, 8), None, stream)
    assert strong_BUK.shape == (2, 4, 3) and weak_BK.shape == (2, 3)
    (strong_BUK.sum() + weak_BK.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert all(p.grad.abs().sum() > 0 for p in model.fusion.join.parameters())


def test_the_other_weights_are_those_of_the_network_without():
    plain = make_network(MODEL, 3, torch.Generator().manual_seed(0)).state_dict()
    fused = network("pool").state_dict()
    assert all(torch.equal(fused[name], weights) for name, weights in plain.items())
    assert {name.split(".")[0] for name in fused.keys() - plain.keys()} == {"fusion"}
    assert not any("fusion" in name for name in plain)


def test_a_network_without_its_rows_is_refused():
    model = network("pool")
    assert isinstance(model, CRNN)
    with pytest.raises(ValueError, match="was given no embeddings"):
        model(torch.zeros(1, 16, 8))
