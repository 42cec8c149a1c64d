from dataclasses import replace

import numpy as np
import pytest
import torch

from raysed.config.augmentation import Augmentation
from raysed.config.encoder import EmbeddingFusion, EncoderFacts
from raysed.model.network import make_network
from raysed.storage.folder import Folder
from raysed.training.augmenter import Clips, mixed
from raysed.training.batches import BatchSource
from raysed.training.checkpoint import load_predictor
from raysed.training.embedding_rows import check_rows, standardise, stream_of, stream_of_clips
from raysed.training.train import train
from tests.training.tiny import sets, trial, with_rows

FUSION = EmbeddingFusion(fusion="pool", width=3)


def fused(kind="pool"):
    model = trial().model.model_copy(
        update={"embedding": FUSION.model_copy(update={"fusion": kind})}
    )
    return trial(model=model)


def row_sets():
    return {name: with_rows(feature_set) for name, feature_set in sets().items()}


@pytest.mark.parametrize("kind", ["pool", "interpolate", "attention"])
def test_a_trial_trains_on_rows_and_its_checkpoint_says_whose(tmp_path, kind):
    data = row_sets()
    train(fused(kind), data, Folder(str(tmp_path)), seed=1)
    predictor = load_predictor(Folder(str(tmp_path)), "checkpoints/best-dry.pt")
    assert predictor.encoder == data["weak"].encoder
    assert predictor.student.fusion is not None


def test_the_rows_of_a_batch_are_its_clips():
    data = row_sets()
    batch = next(iter(BatchSource(fused(), data, seed=3).epoch(0)))
    assert batch.rows_BRE is not None and batch.rows_BRE.dtype == torch.float16
    known = {
        name: rows_RE
        for each in data.values()
        for name, rows_RE in zip(each.filenames, each.embeddings, strict=True)
    }
    for name, rows_RE in zip(batch.filenames, batch.rows_BRE, strict=True):
        assert np.array_equal(rows_RE.numpy(), known[name])
    assert next(iter(BatchSource(trial(), data, seed=3).epoch(0))).rows_BRE is None


def test_time_is_that_of_the_encoder_and_of_the_output_frames():
    """A row of 640 samples, an output frame of 4 mel frames of 255 samples."""
    stream = stream_of_clips(row_sets()["weak"], np.arange(2), fused().model, "cpu")
    assert stream is not None and stream.rows_BRE.shape == (2, 25, 3)
    assert stream.frames_per_row == pytest.approx(640 / (4 * 255))
    assert stream_of(torch.zeros(1, 25, 3), None, 0.1) is None
    assert stream_of_clips(sets()["weak"], np.arange(2), trial().model, "cpu") is None


def test_sets_without_the_rows_are_refused(tmp_path):
    data = row_sets()
    check_rows(trial(), sets())
    with pytest.raises(ValueError, match="weak was built without embeddings"):
        check_rows(fused(), {**data, "weak": sets()["weak"]})
    with pytest.raises(ValueError, match="weak holds no embeddings"):
        stream_of_clips(sets()["weak"], np.arange(1), fused().model, "cpu")
    wide = trial().model.model_copy(update={"embedding": EmbeddingFusion(fusion="pool", width=7)})
    with pytest.raises(ValueError, match="width is 7, but synthetic holds rows of 3 values"):
        check_rows(trial(model=wide), data)
    other: EncoderFacts = data["weak"].encoder.model_copy(update={"sha256": "other"})
    with pytest.raises(ValueError, match="weak: its embeddings are of another encoder"):
        check_rows(fused(), {**data, "weak": replace(data["weak"], encoder=other)})
    with pytest.raises(ValueError, match="validation was built without embeddings"):
        unlike = {**data, "validation": sets()["validation"]}
        train(fused(), unlike, Folder(str(tmp_path)), seed=1)


def test_mixup_mixes_rows_as_it_mixes_mels():
    total = 4
    mel_BTF = torch.rand(total, 6, 2, generator=torch.Generator().manual_seed(0))
    rows_BRE = torch.rand(total, 3, 5, generator=torch.Generator().manual_seed(1))
    clips = Clips(
        mel_BTF,
        mel_BTF,
        torch.full((total,), 6),
        torch.zeros(2, 3, 1),
        torch.zeros(2, 1),
        None,
        rows_BRE,
    )
    share_B = torch.tensor([0.25, 0.5, 1.0, 1.0])
    made = mixed(clips, torch.tensor([1, 0, 2, 3]), share_B, hard=False)
    torch.testing.assert_close(made.rows_BRE[0], 0.25 * rows_BRE[0] + 0.75 * rows_BRE[1])
    torch.testing.assert_close(made.student_BTF[0], 0.25 * mel_BTF[0] + 0.75 * mel_BTF[1])
    assert torch.equal(made.rows_BRE[2:], rows_BRE[2:])
    assert torch.equal(made.part(1, 2).rows_BRE, made.rows_BRE[1::2])


def test_a_trial_with_mixup_trains_on_rows(tmp_path):
    config = trial(
        model=fused().model, augmentation=Augmentation(mixup="soft", mixup_probability=1.0)
    )
    plain = train(fused(), row_sets(), Folder(str(tmp_path / "plain")), seed=1)
    made = train(config, row_sets(), Folder(str(tmp_path / "mixed")), seed=1)
    assert made["loss_first"] != plain["loss_first"]


def test_rows_are_standardised_over_the_clips_that_are_trained_on(tmp_path):
    """Values with means of their own and one that never changes, over two sets of unlike length."""
    data = row_sets()
    shifted = {
        name: replace(each, embeddings=[row_of(rows) for rows in each.embeddings])
        for name, each in data.items()
    }
    network = make_network(fused().model, 2, torch.Generator().manual_seed(0))
    used = [shifted["weak"], shifted["synthetic"]]
    standardise([network], used)
    all_rows = np.concatenate([each.embedding(each.trained_rows).reshape(-1, 3) for each in used])
    expected = all_rows.astype(np.float64)
    assert network.fusion is not None
    torch.testing.assert_close(
        network.fusion.mean_E.double().numpy(), expected.mean(0), rtol=1e-6, atol=1e-6
    )
    torch.testing.assert_close(
        network.fusion.std_E.double().numpy()[:2], expected.std(0)[:2], rtol=1e-5, atol=0
    )
    assert network.fusion.std_E[2] == 1
    standardise([make_network(trial().model, 2, torch.Generator())], used)
    train(fused(), shifted, Folder(str(tmp_path)), seed=1)
    stored = load_predictor(Folder(str(tmp_path)), "checkpoints/best-dry.pt")
    subsets = fused().used_subsets().values()
    trained = np.concatenate(
        [shifted[name].embedding(shifted[name].trained_rows).reshape(-1, 3) for name in subsets]
    )
    for kept in (stored.student, stored.teacher):
        np.testing.assert_allclose(
            kept.fusion.mean_E, trained.astype(np.float64).mean(0), rtol=1e-5
        )


def row_of(rows_RE):
    """The rows, each value of another size, the last without change."""
    return (rows_RE * np.array([3, 0.5, 0]) + np.array([7, -2, 1])).astype(np.float16)
