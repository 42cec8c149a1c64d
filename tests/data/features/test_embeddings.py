import json

import numpy as np
import pytest

from raysed.config.encoder import EncoderFacts
from raysed.data.build.dataset_plan import plan
from raysed.data.features.embeddings import embedding_shape, encoder_in, stored_embedding
from raysed.data.features.shards import read_manifest
from raysed.data.features.store import open_dataset
from raysed.storage.folder import Folder
from tests.data.encoders.small import write_onnx
from tests.data.recorded_tree import FEATURES, build_alone, embedding_job, weak_job, write_tree

FACTS = EncoderFacts(
    encoder={"kind": "onnx"},
    layers=None,
    sha256="0",
    sample_rate_hz=16000,
    hop=400,
    width=3,
    licence="",
)


def test_rows_are_stored_beside_the_mels_and_read_again(tmp_path):
    tree = write_tree(tmp_path / "dataset")
    p = build_alone(embedding_job(tree, tmp_path / "out", write_onnx(tmp_path / "a.onnx")))
    found = open_dataset(p.url, tmp_path / "cache")
    assert found.encoder is not None and found.embeddings is not None
    assert (found.encoder.width, found.encoder.hop, found.encoder.layers) == (
        3,
        400,
        ("one_rows", "more_rows"),
    )
    assert found.embeddings[0].shape == embedding_shape(found.encoder, FEATURES) == (40, 3)
    # Clip 0 has 9000 samples: 23 rows, the last of which is half its own.
    rows_BRE = found.embedding([0, 1])
    assert rows_BRE.dtype == np.float16 and not rows_BRE[0, 23:].any() and rows_BRE[0, :23].all()
    clip_T = p.source.make(0)[0].waveform_T
    assert rows_BRE[0, 2, 0] == pytest.approx(np.abs(clip_T[800:1200]).sum(), rel=1e-3)
    np.testing.assert_allclose(rows_BRE[..., 1], 2 * rows_BRE[..., 0], rtol=2e-3)
    manifest = read_manifest(Folder(p.url))
    assert encoder_in({"job": manifest.job}) == found.encoder
    assert "embeddings" not in manifest.job["set"] and str(tmp_path) not in json.dumps(manifest.job)


def test_a_set_without_embeddings_reads_none(tmp_path):
    p = build_alone(weak_job(write_tree(tmp_path / "dataset"), tmp_path / "out"))
    found = open_dataset(p.url, tmp_path / "cache")
    assert found.encoder is None and found.embeddings is None and found.embedding([0]) is None
    assert "encoder" not in read_manifest(Folder(p.url)).job


def test_the_id_follows_the_encoder_and_not_its_name_or_place(tmp_path):
    tree = write_tree(tmp_path / "dataset")
    job = embedding_job(tree, tmp_path, write_onnx(tmp_path / "a.onnx"))
    ids = [plan(job)[0].id, plan(weak_job(tree, tmp_path))[0].id]
    (encoder,) = job.encoders.values()
    moved = encoder.model_copy(update={"path": write_onnx(tmp_path / "b.onnx"), "licence": "MIT"})
    renamed = job.sets["weak"].embeddings.model_copy(update={"encoder": "other"})
    with_other = job.sets["weak"].model_copy(update={"embeddings": renamed})
    same = job.model_copy(update={"encoders": {"other": moved}, "sets": {"weak": with_other}})
    assert plan(same)[0].id == ids[0]
    other = encoder.model_copy(update={"path": write_onnx(tmp_path / "c.onnx", batch="n")})
    ids.append(plan(job.model_copy(update={"encoders": {"loudness": other}}))[0].id)
    late = encoder.model_copy(update={"centre": 0})
    ids.append(plan(job.model_copy(update={"encoders": {"loudness": late}}))[0].id)
    assert len(set(ids)) == 4


def test_a_missing_encoder_is_told_before_work(tmp_path):
    job = embedding_job(write_tree(tmp_path / "dataset"), tmp_path, tmp_path / "gone.onnx")
    with pytest.raises(ValueError, match=r"encoders\.loudness: .*gone\.onnx: no such file"):
        plan(job)


def test_a_name_that_no_encoder_has_is_refused(tmp_path):
    sets = embedding_job(tmp_path, tmp_path, "a.onnx").sets
    with pytest.raises(ValueError, match=r"sets\.weak\.embeddings names the encoder loudness"):
        weak_job(tmp_path, tmp_path, sets=sets)


def test_values_that_float16_does_not_hold_are_refused():
    with pytest.raises(ValueError, match=r"up to 1e\+05 do not fit float16"):
        stored_embedding(np.full((2, 3), 1e5), FACTS, FEATURES)
    with pytest.raises(ValueError, match=r"expected at most \(40, 3\)"):
        stored_embedding(np.zeros((41, 3)), FACTS, FEATURES)
