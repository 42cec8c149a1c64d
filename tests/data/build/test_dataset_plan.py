"""What a job will build: identities, classes, who computes the mels, and what is refused or warned of."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.data_job import Features, RecordedSet
from raysed.data.build import mel_backend
from raysed.data.build.absolute_roots import with_absolute_roots
from raysed.data.build.dataset_plan import DatasetPlan, job_classes, plan, plan_each
from raysed.data.features.shards import ShardEntry
from tests.data.banks import edge_job, write_edge_bank
from tests.data.recorded_tree import FEATURES, WEAK, build_alone, weak_job, write_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("desed") / "dataset")


def test_the_id_follows_what_decides_the_bytes(tree: Path, tmp_path: Path) -> None:
    def identity(root: Path = tree, **changes: object) -> str:
        return plan(weak_job(root, tmp_path, **{"mel": "dali", **changes}))[0].id

    same = identity()
    assert identity(name="other", quarantine_limit=0.5) == same
    assert plan(weak_job(tree, tmp_path / "other", mel="dali"))[0].id == same
    changed = [
        identity(features=FEATURES.model_copy(update={"hop": 255})),
        identity(shard_clips=3),
        identity(mel="torchaudio"),
        identity(classes=("Cat", "Dog", "Speech")),
        identity(sets={"weak": RecordedSet(kind="recorded", subset="weak", limit=5)}),
    ]
    other = write_tree(tmp_path / "dataset")
    assert identity(other) == same
    soundfile.write(other / "audio/train/weak/Y00_0.000_1.000.wav", np.zeros(100), 16000)
    changed.append(identity(other))
    assert len({same, *changed}) == 7


def test_classes_come_from_the_annotations_where_nothing_else_tells(
    tree: Path, tmp_path: Path
) -> None:
    assert job_classes(weak_job(tree, tmp_path, classes=None)) == ("Cat", "Dog")
    (tmp_path / "metadata/train").mkdir(parents=True)
    names = "filename\nY00_0.000_1.000.wav\n"
    (tmp_path / "metadata/train/unlabel_in_domain.tsv").write_text(names)
    unlabelled = RecordedSet(kind="recorded", subset="unlabelled")
    job = weak_job(tmp_path, tmp_path, classes=None, sets={"u": unlabelled})
    with pytest.raises(ValueError, match="name no class; give `classes`"):
        job_classes(job)


def test_only_sets_with_waveforms_have_another_identity(tree: Path, tmp_path: Path) -> None:
    assert Features().identity() == {}
    with_them = FEATURES.model_copy(update={"waveforms": True})
    ids = {plan(weak_job(tree, tmp_path, features=f))[0].id for f in (FEATURES, with_them)}
    assert len(ids) == 2


def test_impossible_jobs_are_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="memory://"):
        plan(weak_job(tree, "memory://out"))
    with pytest.raises(ValueError, match="job small has no sets other, wek; it has weak"):
        plan(weak_job(tree, tmp_path), sets=["wek", "weak", "other"])
    with pytest.raises(ValueError, match="no such folder"):
        plan(weak_job(tmp_path / "nowhere", tmp_path))


def test_a_set_without_a_single_clip_is_refused(tree: Path, tmp_path: Path) -> None:
    other = write_tree(tmp_path / "dataset")
    for path in (other / "audio/train/weak").iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="set weak: none of its 11 clips is there"):
        plan(weak_job(other, tmp_path))


def test_shards_hold_every_raw_clip_once(tree: Path, tmp_path: Path) -> None:
    (p,) = plan(weak_job(tree, tmp_path, shard_clips=4))
    assert [(s.name, s.start, s.stop) for s in p.shards] == [
        ("shard-00000.parquet", 0, 4),
        ("shard-00001.parquet", 4, 8),
        ("shard-00002.parquet", 8, 10),
    ]
    assert (p.state, p.clips, p.url) == ("to_build", 10, f"{tmp_path}/weak-{p.id}")


def test_a_plan_tells_what_is_there(tree: Path, tmp_path: Path) -> None:
    job = weak_job(tree, tmp_path, mel="torchaudio")
    before = build_alone(job)
    assert (before.state, before.clips, before.manifest) == ("to_build", 10, None)
    (after,) = plan(job)
    # One of the ten cannot be read.
    assert (after.state, after.clips) == ("present", 9)
    assert after.manifest == before.manifest_of(after.manifest.shards if after.manifest else ())


def test_the_manifest_sums_its_shards_in_their_order(tree: Path, tmp_path: Path) -> None:
    (p,) = plan(weak_job(tree, tmp_path, shard_clips=5))
    entries = [
        ShardEntry(
            name=shard.name,
            start=shard.start,
            stop=shard.stop,
            rows=3 + n,
            sha256="",
            dropped=n,
            quarantined=(("a.wav", "broken"),) * (1 - n),
        )
        for n, shard in enumerate(p.shards)
    ]
    manifest = p.manifest_of(reversed(entries))
    assert manifest.shards == tuple(entries) and manifest.complete
    assert (manifest.clips, manifest.dropped, manifest.quarantined, manifest.missing) == (
        7,
        1,
        1,
        1,
    )
    assert not p.manifest_of(entries[:1]).complete


def test_only_the_named_sets_are_planned_in_the_order_of_the_job(
    tree: Path, tmp_path: Path
) -> None:
    sets = {
        name: RecordedSet(kind="recorded", subset="weak", limit=n)
        for n, name in enumerate("cab", 1)
    }
    job = weak_job(tree, tmp_path, sets=sets)
    assert [p.name for p in plan(job, sets=["b", "c"])] == ["c", "b"]


def test_sets_of_one_recording_are_warned_of_on_both_sides(tree: Path, tmp_path: Path) -> None:
    def warnings(**sets: RecordedSet) -> list[tuple[str, ...]]:
        return [p.warnings for p in plan(weak_job(tree, tmp_path, sets=sets))]

    first = RecordedSet(kind="recorded", subset="weak", part="train")
    other = RecordedSet(kind="recorded", subset="weak", part="xvalid")
    assert warnings(train=first, xvalid=other) == [(), ()]
    ((told, same_seconds), again) = warnings(all=WEAK, xvalid=other)
    assert "all and xvalid hold clips of the same recording: 1 (" in told
    assert "the same seconds of a recording" in same_seconds and again == (told, same_seconds)


def test_two_rehearsals_of_one_split_are_no_leak(tree: Path, tmp_path: Path) -> None:
    few = RecordedSet(kind="recorded", subset="weak", limit=3)
    plans = plan(weak_job(tree, tmp_path, sets={"all": WEAK, "few": few}))
    assert [p.warnings for p in plans] == [(), ()]


def test_classes_of_the_job_go_before_those_of_the_soundbank(tmp_path: Path) -> None:
    job = edge_job(write_edge_bank(tmp_path))
    assert job_classes(job) == ("Dog", "Frying", "Speech")
    own = ("Speech", "Frying", "Dog", "Vacuum")
    assert job_classes(job.model_copy(update={"classes": own})) == own


def test_roots_do_not_depend_on_the_working_directory(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree.parent)
    monkeypatch.setenv("HOME", str(tree.parent))
    for root in ("dataset", "~/dataset", "./dataset/../dataset"):
        roots = with_absolute_roots(weak_job(Path(root), tmp_path)).roots
        assert roots.recorded == str(tree) and roots.soundbank is None


def test_auto_takes_what_is_there_and_else_the_faster_backend(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def auto(out: str) -> tuple[str, str]:
        (planned,) = plan(weak_job(tree, tmp_path / out, mel="auto"))
        return planned.mel, planned.state

    gpus = 1
    monkeypatch.setattr(mel_backend, "_gpus", lambda: gpus)
    assert auto("a") == ("dali", "to_build")
    build_alone(weak_job(tree, tmp_path / "a", mel="auto"))
    gpus = 0
    assert auto("a") == ("dali", "present"), "what a GPU has made is not made again"
    assert auto("b") == ("torchaudio", "to_build")
    build_alone(weak_job(tree, tmp_path / "b", mel="auto"))
    gpus = 1
    assert auto("b") == ("torchaudio", "present")
    monkeypatch.setattr(mel_backend, "find_spec", lambda name: None)
    assert auto("a") == ("dali", "present"), "it can be read where it could not be made"
    assert auto("c") == ("torchaudio", "to_build")


def test_dali_is_needed_for_what_is_to_be_built_alone(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_alone(weak_job(tree, tmp_path, mel="dali"))
    later = RecordedSet(kind="recorded", subset="weak", limit=5)
    monkeypatch.setattr(mel_backend, "find_spec", lambda name: None)
    found = plan_each(weak_job(tree, tmp_path, mel="dali", sets={"weak": WEAK, "later": later}))
    there, refused = found["weak"], found["later"]
    assert isinstance(there, DatasetPlan) and there.state == "present"
    assert str(refused) == (
        "job small: mel: dali, but nvidia-dali-cuda130 is not installed (pip install 'raysed[gpu]'); use mel: auto"
        " (RAYSED_MEL=auto for the jobs that come with raysed)"
    )


def test_a_manifest_that_cannot_be_read_is_told_of_its_set(tree: Path, tmp_path: Path) -> None:
    (planned,) = plan(weak_job(tree, tmp_path, mel="torchaudio"))
    (tmp_path / f"weak-{planned.id}").mkdir()
    (tmp_path / f"weak-{planned.id}" / "manifest.json").write_text("{")
    (found,) = plan_each(weak_job(tree, tmp_path, mel="torchaudio")).values()
    assert isinstance(found, ValueError) and "manifest.json" in str(found)
