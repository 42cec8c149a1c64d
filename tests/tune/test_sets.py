"""The data sets of a space before anything is built."""

from pathlib import Path

import pytest

from raysed.config.encoder import EmbeddingFusion, FineTuning
from raysed.config.fault import Fault
from raysed.config.trial import Model, Shares, Trial, TrialData
from raysed.tune.sets import (
    count_surviving,
    encoder_faults,
    fault_lines,
    list_sets,
    tuned_file,
)
from tests.data.encoders.small import write_onnx
from tests.data.recorded_tree import embedding_job, weak_job, write_tree
from tests.paths import MINI_DESED, ROOT


def test_recorded_sets_before_building(tmp_path):
    job = weak_job(write_tree(tmp_path / "dataset"), tmp_path / "out")
    (found,) = list_sets(job, ("weak",))
    assert (found.planned.state, found.clips, found.asked, found.missing) == ("to_build", 10, 11, 1)
    assert found.fault is None
    assert found.bytes == 10 * round(0.87 * 2 * job.features.n_frames * job.features.n_mels)
    assert not (tmp_path / "out").exists()


def test_sets_without_audio_keep_their_counts(tmp_path):
    root = write_tree(tmp_path / "dataset")
    for path in (root / "audio/train/weak").iterdir():
        path.unlink()
    (found,) = list_sets(weak_job(root, tmp_path / "out"), ("weak",))
    assert (found.planned, found.clips, found.missing) == (None, 11, 11)
    assert fault_lines([found]) == ["data set weak: set weak: none of its 11 clips is there"]


def test_only_sets_behind_an_unset_root_give_no_reason(tmp_path):
    job = weak_job(tmp_path / "absent", tmp_path / "out")
    assert list_sets(job, ("weak",))[0].fault
    unset = [Fault(("roots", "recorded"), "roots.recorded: environment variable X is not set")]
    (found,) = list_sets(job, ("weak",), unset)
    assert (found.planned, found.fault) == (None, None)
    other = [Fault(("roots", "rir"), "roots.rir: environment variable Y is not set")]
    assert list_sets(job, ("weak",), other)[0].fault


def test_a_missing_encoder_is_told_though_the_audio_is_missing_too(tmp_path):
    job = embedding_job(tmp_path / "absent", tmp_path / "out", tmp_path / "gone.onnx")
    (fault,) = encoder_faults(job, ("weak",))
    assert fault.startswith("data set weak: encoders.loudness: ") and "no such file" in fault
    there = embedding_job(tmp_path / "absent", tmp_path / "out", write_onnx(tmp_path / "a.onnx"))
    assert encoder_faults(there, ("weak",)) == []
    assert encoder_faults(weak_job(tmp_path, tmp_path), ("weak",)) == []


def test_the_file_of_an_encoder_is_given_to_trials_that_tune_it(tmp_path):
    job = embedding_job(tmp_path, tmp_path / "out", "a.onnx")
    data = TrialData(weak="weak", xvalid=("weak",), evaluation=("weak",))
    shares = Shares(synthetic=0, unlabelled=0, weak=4)

    def asked(finetune):
        fusion = EmbeddingFusion(fusion="pool", width=3, finetune=finetune)
        model = Model(embedding=fusion)
        return tuned_file(Trial(data=data, shares=shares, model=model), job)

    assert asked(FineTuning(learning_rate=0.0)) == str(Path("a.onnx").resolve())
    assert asked(None) is None


def test_rows_are_part_of_what_is_to_be_written(tmp_path):
    tree, path = write_tree(tmp_path / "dataset"), write_onnx(tmp_path / "a.onnx")
    (rows,) = list_sets(embedding_job(tree, tmp_path, path), ("weak",))
    (plain,) = list_sets(weak_job(tree, tmp_path), ("weak",))
    # 40 rows of 3 values in float16 for each of 10 clips.
    assert rows.bytes - plain.bytes == 10 * 40 * 3 * 2


@pytest.mark.skipif(not MINI_DESED.is_dir(), reason="no mini-DESED here")
def test_soundscapes_are_counted_as_they_will_survive():
    from raysed.config.data_job import DataJob
    from raysed.config.reader import read_config
    from raysed.data.build.source import SyntheticSource, open_source

    job = read_config(ROOT / "data_jobs/mini_desed.yaml", DataJob)
    roots = {key: path and str(ROOT / path) for key, path in job.roots}
    small = {"asked": job.sets["xvalid_pitch_dry"].model_copy(update={"count": 30})}
    job = job.model_copy(update={"roots": type(job.roots)(**roots), "sets": small})
    source = open_source(job, "asked", ())
    assert isinstance(source, SyntheticSource)
    made = [source.make(index) for index in range(source.count)]
    assert count_surviving(source.context) == sum(len(clips) for clips in made) < len(made)
