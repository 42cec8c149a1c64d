"""Recordings, sound bank and rooms in an object store that fails now and then: the ids and bytes of a disk."""

from pathlib import Path

import pytest

from raysed.config.data_job import DataJob, Features, RecordedSet, Roots
from raysed.data.build.dataset_plan import plan
from raysed.data.build.resume import record
from raysed.doctor.examine import examine
from raysed.storage import local_copies
from raysed.storage.folder import Folder
from tests.data.banks import edge_job, write_audio, write_edge_bank
from tests.data.recorded_tree import build_shards, contents, write_tree
from tests.object_store import ObjectStore, object_store

CLASSES = ("Cat", "Dog", "Frying", "Speech")


@pytest.fixture(scope="module")
def store():
    with object_store() as running:
        yield running


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, store: ObjectStore) -> Path:
    """A sound bank, rooms of both forms and weak clips, on the disk and in the store."""
    root = tmp_path_factory.mktemp("tree")
    write_edge_bank(root)
    for name in ("background0.wav", "foreground1.wav", "foreground0.wav"):
        write_audio(root / "rir/train/rir1_3" / name, 0.2)
    write_audio(root / "rir/validation/flat.wav", 0.2)
    write_tree(root / "dataset", clips=5)
    with pytest.MonkeyPatch.context() as patch:
        for key, value in store.environment.items():
            patch.setenv(key, value)
        for path in root.rglob("*"):
            if path.is_file():
                Folder("s3://lab/desed").write(path.relative_to(root).as_posix(), path.read_bytes())
    return root


@pytest.fixture(autouse=True)
def far(store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in store.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("RAYSED_CACHE", str(tmp_path / "node"))
    local_copies._fetched.cache_clear()
    store.answer = lambda method, path: None


def job_of(root: str, out: Path, end: str = "", **changes: object) -> DataJob:
    below = {"recorded": "dataset", "soundbank": "synthetic", "rir": "rir"}
    roots = Roots(**{key: f"{root}/{name}{end}" for key, name in below.items()}, cooccurrences=root)
    rir = edge_job(roots, reverb="rir", count=6).sets["soundscapes"]
    weak = RecordedSet(kind="recorded", subset="weak")
    fields = {"name": "far", "out": str(out), "roots": roots, "classes": CLASSES, "mel": "torchaudio",
              "features": Features(duration_s=5.0, n_mels=8, hop=510), "shard_clips": 3,
              "sets": {"rir": rir, "weak": weak}}  # fmt: skip
    return DataJob(**fields | changes)


def build(job: DataJob) -> list[str]:
    plans = plan(job)
    for p in plans:
        record(p, build_shards(p, range(len(p.shards))))
    return [p.id for p in plans]


@pytest.mark.slow
def test_a_failing_store_gives_the_ids_and_bytes_of_a_disk(
    tree: Path, store: ObjectStore, tmp_path: Path
) -> None:
    here = build(job_of(str(tree), tmp_path / "here"))
    asked: list[str] = []
    refused: list[str] = []

    def sometimes(method: str, path: str) -> int | None:
        asked.append(f"{method} {path}")
        if method == "GET" and path.endswith(
            ("long_0.wav", "nd0.wav", "Y00_0.000_1.000.wav", ".tsv", ".json")
        ):
            refused.append(path)
            return 503 if refused.count(path) <= 2 else None
        return None

    store.answer = sometimes
    assert build(job_of("s3://lab/desed", tmp_path / "there", end="/")) == here
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert len(set(refused)) >= 5
    fetched = [line for line in asked if line.startswith("GET") and line.endswith("short_0.wav")]
    assert (
        len(fetched) == len(set(fetched)) > 0
    )  # once, whatever the number of soundscapes that use it


def test_a_store_that_fails_for_good_stops_the_build_and_quarantines_nothing(
    tree: Path, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = plan(job_of("s3://lab/desed", tmp_path))
    local_copies._fetched.cache_clear()
    monkeypatch.setenv("RAYSED_CACHE", str(tmp_path / "another node"))

    def fails(place: str) -> bytes:
        raise OSError("503")

    for module in ("raysed.storage.local_copies", "raysed.data.recorded.reading"):
        monkeypatch.setattr(f"{module}.read_bytes", fails)
    for p in plans:
        with pytest.raises(
            RuntimeError, match=r"s3://lab/desed/.*\.wav: cannot be (read|fetched) now"
        ):
            build_shards(p, [0])


@pytest.mark.parametrize(
    ("key", "name"),
    [("soundbank", "roots.soundbank"), ("rir", "roots.rir"), ("recorded", "roots.recorded")],
)
def test_a_root_that_is_not_there_is_refused_by_its_url(
    tree: Path, tmp_path: Path, key: str, name: str
) -> None:
    job = job_of("s3://lab/desed", tmp_path)
    roots = job.roots.model_copy(update={key: "s3://lab/nowhere"})
    with pytest.raises(ValueError, match=f"s3://lab/nowhere.*: no such folder; {name}"):
        plan(job.model_copy(update={"roots": roots}))


def test_the_doctor_lists_what_is_far_and_reads_no_headers(
    tree: Path, store: ObjectStore, tmp_path: Path
) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(job_of("s3://lab/desed", tmp_path / "out").model_dump_json())
    store.requests.clear()
    found = examine(path)
    assert sorted(check.state for check in found.sets) == ["to_build", "to_build"]
    assert "weak: its audio is far; it is listed, and no header was read" in found.remarks
    assert not [
        p
        for method, p in store.requests
        if method == "GET" and p.endswith(".wav") and "nOn_nOff" not in p
    ]
