import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from raysed.cli.data_command import data
from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob, Features, RecordedSet, SyntheticSet
from raysed.config.fault import ConfigError
from raysed.config.reader import read_config
from raysed.data.build.dataset_plan import plan
from raysed.data.build.job import build
from raysed.data.build.resume import record
from raysed.data.build.shard_journal import noted_shards
from raysed.data.features.shards import read_manifest
from raysed.data.features.store import open_dataset
from raysed.storage.folder import Folder, ReadDeniedError
from tests.data.encoders.small import write_onnx
from tests.data.recorded import forms
from tests.data.recorded_tree import (
    WEAK,
    build_alone,
    build_shards,
    contents,
    embedding_job,
    weak_job,
    write_tree,
)
from tests.paths import MINI_DESED, ROOT

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("desed") / "dataset")


@pytest.fixture(scope="module")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory, ray_session: None) -> Path:
    """The folder of the small job's data set, built once by one worker."""
    result = build(weak_job(tree, tmp_path_factory.mktemp("out")), workers=1)["weak"]
    assert (result.clips, result.quarantined, result.missing, result.dropped) == (9, 1, 1, 0)
    assert (result.shards, result.shards_built, result.over_limit) == (5, 5, False)
    return Path(result.url)


def test_a_corrupt_clip_is_quarantined_and_the_rest_built(built: Path) -> None:
    name, reason = (built / "quarantine.tsv").read_text().splitlines()[1].split("\t")
    assert name == "Y03_0.000_1.000.wav" and "cannot be read" in reason
    assert (built / "missing.tsv").read_text().splitlines() == ["filename", "Y07_0.000_1.000.wav"]


def test_tasks_get_the_recordings_of_their_shard_alone(tmp_path: Path, ray_session: None) -> None:
    for n, word in enumerate(("dog", "rain", "dog", "rain", "dog")):
        forms.audio(tmp_path / f"own/{word}/{n}.wav", seed=n)
    forms.text(tmp_path / "own/dog/bad.wav", "no audio")
    own = AnnotatedSet(kind="annotated", audio=str(tmp_path / "own"), type="weak")
    job = DataJob(
        name="own",
        out=str(tmp_path / "out"),
        features=Features(duration_s=1.0, n_mels=8, hop=510),
        mel="torchaudio",
        shard_clips=2,
        sets={"own": own},
    )
    (p,) = plan(job)
    result = build(job, planned=[p], workers=2)["own"]
    assert (result.clips, result.quarantined, result.shards) == (5, 1, 3)
    (alone,) = plan(job.model_copy(update={"out": str(tmp_path / "alone")}))
    record(alone, build_shards(alone, range(3)))
    assert contents(Path(result.url)) == contents(Path(alone.url))


def test_every_clip_is_there_once(built: Path, tmp_path: Path) -> None:
    found = open_dataset(str(built), tmp_path)
    assert found.filenames == tuple(
        f"Y{n:02d}_0.000_1.000.wav" for n in range(11) if n not in (3, 7)
    )
    assert found.weak_NK is not None and found.weak_NK[:3].tolist() == [[0, 1], [1, 1], [0, 1]]
    assert found.frames[:2].tolist() == [9000 // 510 + 1, 16000 // 510 + 1]
    assert not found.mels[0][found.frames[0] :].any() and found.mels[0][: found.frames[0]].all()


def test_the_same_bytes_on_any_number_of_workers_and_from_another_place(
    built: Path, tree: Path, tmp_path: Path
) -> None:
    moved = write_tree(tmp_path / "elsewhere")
    for workers, place in ((2, tree), (4, moved)):
        result = build(weak_job(place, tmp_path / str(workers)), workers=workers)["weak"]
        assert contents(result.url) == contents(built)


def test_a_finished_job_does_nothing(built: Path, tree: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in built.iterdir()}
    result = build(weak_job(tree, built.parent))["weak"]
    assert (result.shards_built, result.clips) == (0, 9)
    assert {path.name: path.stat().st_mtime_ns for path in built.iterdir()} == before


class DriverDeathError(Exception):
    """Stands for the driver's death."""


def test_an_interrupted_build_is_resumed(
    built: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raysed.data.build.build_progress import BuildProgress

    def die_at_the_third(self: BuildProgress, clips: int, quarantined: int) -> None:
        done.append(clips)
        if len(done) == 3:
            raise DriverDeathError

    done: list[int] = []
    job = weak_job(tree, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(BuildProgress, "shard_done", die_at_the_third)
        with pytest.raises(DriverDeathError):
            build(job, workers=2)
    (folder,) = tmp_path.iterdir()
    manifest = read_manifest(Folder(str(folder)))
    assert manifest is not None and not manifest.complete
    kept = [entry.name for entry in noted_shards(Folder(str(folder)))]
    assert len(kept) == 2
    # As a kill -9 in the middle of a write leaves it.
    (folder / ".shard-00003.parquet.a1b2c3d4.part").write_bytes(b"half")
    with pytest.raises(ValueError, match="unfinished: "):
        open_dataset(str(folder), tmp_path / "cache")
    times = {name: (folder / name).stat().st_mtime_ns for name in kept}
    result = build(job, workers=2)["weak"]
    assert result.shards_built == 3
    assert {name: (folder / name).stat().st_mtime_ns for name in kept} == times
    assert contents(folder) == contents(built)


def test_embeddings_are_the_same_bytes_by_one_process_and_by_a_resumed_cluster(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray_session: None
) -> None:
    from raysed.data.build.build_progress import BuildProgress

    def die(self: BuildProgress, clips: int, quarantined: int) -> None:
        raise DriverDeathError

    path = write_onnx(tmp_path / "loudness.onnx")
    alone = build_alone(embedding_job(tree, tmp_path / "alone", path))
    job = embedding_job(tree, tmp_path / "cluster", path)
    with monkeypatch.context() as patch:
        patch.setattr(BuildProgress, "shard_done", die)
        with pytest.raises(DriverDeathError):
            build(job, workers=2)
    assert contents(build(job, workers=3)["weak"].url) == contents(alone.url)


def test_a_damaged_shard_is_built_anew(built: Path, tree: Path, tmp_path: Path) -> None:
    job = weak_job(tree, tmp_path)
    folder = Path(build_alone(job).url)
    (folder / "shard-00002.parquet").write_bytes(b"not what was written")
    (folder / "shard-00004.parquet").unlink()
    assert build(job)["weak"].shards_built == 2
    assert contents(folder) == contents(built)


def test_a_shard_that_must_not_be_read_is_not_built_anew(
    built: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(self: Folder, name: str) -> bytes | None:
        if name == "shard-00002.parquet":
            raise ReadDeniedError("denied")
        return (built / name).read_bytes()

    before = contents(built)
    monkeypatch.setattr(Folder, "read", read)
    with pytest.raises(ValueError, match="denied"):
        build(weak_job(tree, built.parent))
    assert contents(built) == before


def test_a_changed_job_builds_only_what_changed(built: Path, tree: Path) -> None:
    other = RecordedSet(kind="recorded", subset="weak", part="xvalid")
    job = weak_job(tree, built.parent, sets={"weak": WEAK, "weak_xvalid": other})
    states = {p.name: (p.state, p.clips) for p in plan(job)}
    assert states == {"weak": ("present", 9), "weak_xvalid": ("to_build", 1)}
    assert {name: r.shards_built for name, r in build(job).items()} == {"weak": 0, "weak_xvalid": 1}


def test_a_folder_that_cannot_be_written_is_refused_before_work(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"):
        build(weak_job(tree, tmp_path / "file" / "out"))
    assert not list(tmp_path.glob("**/*.parquet"))


def test_mel_backends_agree(tree: Path, tmp_path: Path) -> None:
    sets = [
        open_dataset(build_alone(weak_job(tree, tmp_path, mel=mel)).url, tmp_path / "cache")
        for mel in ("dali", "torchaudio")
    ]
    first, second = (found.mel(range(9)).astype(np.float32) for found in sets)
    np.testing.assert_allclose(first, second, rtol=2e-3, atol=1e-5)


@pytest.mark.skipif(not MINI_DESED.is_dir(), reason="needs the shared mini-DESED")
def test_soundscapes_are_the_same_on_any_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray_session: None
) -> None:
    monkeypatch.chdir(ROOT)
    mini = read_config(ROOT / "data_jobs/mini_desed.yaml", DataJob)
    sets = {
        "dry": SyntheticSet(kind="synthetic", split="xvalid", count=20),
        "rir": SyntheticSet(kind="synthetic", split="xvalid", count=20, reverb="rir"),
    }
    results = []
    for workers in (0, 4):
        out = tmp_path / str(workers)
        job = mini.model_copy(update={"out": str(out), "sets": sets, "shard_clips": 4})
        if not workers:
            build_alone(job)
        results.append(build(job, workers=workers))
    for one, four in zip(*(result.values() for result in results), strict=True):
        assert contents(one.url) == contents(four.url)
    dry, rir = (open_dataset(results[0][name].url, tmp_path / "cache") for name in sets)
    assert 0 < len(dry) < 20 and results[0]["dry"].dropped > 0
    assert dry.filenames == rir.filenames and dry.events == rir.events
    assert not np.array_equal(dry.mels[0], rir.mels[0])


def test_the_command(tree: Path, tmp_path: Path, ray_session: None) -> None:
    def run(*arguments: str) -> Result:
        program = typer.Typer()
        program.command()(data)
        return CliRunner().invoke(program, arguments)

    path = tmp_path / "job.yaml"
    job = weak_job(tree, tmp_path / "out", quarantine_limit=0.0)
    path.write_text(json.dumps(job.model_dump(mode="json")))
    done = run(str(path), "--json")
    assert done.exit_code == 3 and "quarantine.tsv" in done.stderr and "5/5 shards" in done.stderr
    (result,) = json.loads(done.stdout)["datasets"]
    assert (result["clips"], result["quarantined"]) == (9, 1)
    path.write_text(json.dumps({**job.model_dump(mode="json"), "shard_clip": 3}))
    refused = run(str(path))
    assert isinstance(refused.exception, ConfigError) and refused.stdout == ""
    assert "shard_clips" in refused.exception.faults[0]


@pytest.mark.parametrize("name", ["demo", "mini_desed", "desed"])
def test_the_jobs_that_ship_can_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESED_ROOT", "/desed")
    monkeypatch.setenv("DESED_METADATA", "/desed/metadata")
    job = read_config(ROOT / f"data_jobs/{name}.yaml", DataJob)
    kinds = [s.kind for s in job.sets.values()]
    assert (kinds.count("synthetic"), kinds.count("recorded")) == {
        "demo": (2, 3),
        "mini_desed": (9, 4),
        "desed": (9, 5),
    }[name]
