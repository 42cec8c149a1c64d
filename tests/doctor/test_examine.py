"""The doctor: what it counts, what it calls a problem, and its exit codes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from raysed.cli.commands import app
from raysed.config.data_job import DataJob, RecordedSet, SyntheticSet
from raysed.demo.procedural import write_demo_tree
from raysed.doctor.examine import examine
from tests.data.banks import TINY, write_audio
from tests.data.recorded_tree import weak_job, write_tree
from tests.paths import MINI_DESED, ROOT, SHARED

PARTS = ("train", "xvalid")
METADATA = SHARED / "data" / "desed_metadata"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("doctor") / "tree"
    write_demo_tree(root, seed=1, sizes=TINY)
    return root


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_a_healthy_tree(healthy: Path) -> None:
    result = doctor(str(healthy), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["ok"] and found["problems"] == [] and found["leaks"] == []
    counts = {s["name"]: (s["listed"], s["missing"]) for s in found["subsets"]}
    assert counts == {"weak": (6, 0), "unlabelled": (4, 0), "validation": (5, 0)}
    assert {b["split"]: b["backgrounds"] for b in found["soundbank"]} == {"train": 2, "xvalid": 2}
    assert found["rooms"] == {"train": 3, "xvalid": 1}
    validation = found["subsets"][2]
    assert (
        validation["audio"]["rates_hz"] == {"16000": 5} and validation["audio"]["longest_s"] == 5.0
    )
    tsv = (healthy / "dataset/metadata/validation/validation.tsv").read_text().splitlines()[1:]
    assert sum(validation["per_class"].values()) == sum(1 for row in tsv if row.split("\t")[3])


def test_tables_for_people(healthy: Path) -> None:
    result = doctor(str(healthy))
    assert result.exit_code == 0 and result.stdout.rstrip().endswith("healthy")
    assert "unlabelled" in result.stdout and "bank xvalid" in result.stdout


def test_every_kind_of_trouble(healthy: Path, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(healthy, root)
    dataset, bank = root / "dataset", root / "synthetic/audio"
    weak = sorted((dataset / "audio/train/weak").iterdir())
    weak[0].unlink()
    weak[1].write_bytes(b"RIFF")
    weak[3].write_bytes(weak[3].read_bytes()[: weak[3].stat().st_size // 2])
    write_audio(weak[2], 3.0, rate_hz=44100, channels=2)
    shutil.rmtree(bank / "validation/soundbank/foreground/Cat")
    dog = next((bank / "train/soundbank/foreground/Dog").iterdir())
    shutil.copy(dog, bank / "validation/soundbank/foreground/Dog/other.wav")
    write_audio(bank / "train/soundbank/foreground/Speech/77_0.wav", 1.0)
    write_audio(bank / "validation/soundbank/foreground/Speech/77_4.wav", 1.0)
    strong = dataset / "metadata/validation/validation.tsv"
    name = strong.read_text().splitlines()[1].split("\t")[0]
    strong.write_text(
        f"filename\tonset\toffset\tevent_label\n{name}\t0.5\t2\tDog\n{name}\t1\t7\tDog\n"
    )
    found = examine(root)
    assert next(s for s in found.subsets if s.name == "weak").missing == 1
    problems, remarks = "\n".join(found.problems), "\n".join(found.remarks)
    assert f"weak: 2 files cannot be read: {weak[1].name}" in problems
    assert f"{weak[3].name} (ends after " in problems
    assert "soundbank xvalid: no foregrounds of Cat" in problems
    assert f"hold the same sound file: 1 ({dog.name} = other.wav)" in problems
    assert "hold cuts of the same soundbank source: 1 (77_0.wav = 77_4.wav)" in problems
    assert len(found.problems) == 4
    assert "weak: 1 of 6 clips have no audio" in remarks
    assert "weak: 1 files are not at 16000 Hz (resampled), 1 not mono" in remarks
    assert "validation: 1 same-class overlaps" in remarks
    assert "validation: 1 events end after their clip" in remarks
    assert doctor(str(root)).exit_code == 1


def test_audio_that_is_there_is_not_called_missing(healthy: Path, tmp_path: Path) -> None:
    """Another case of the suffix is matched; another case of the name is a problem; the rest is named."""
    root = tmp_path / "tree"
    shutil.copytree(healthy, root)
    folder = root / "dataset/audio/train/weak"
    first, second, *_ = sorted(folder.iterdir())
    first.rename(first.with_suffix(first.suffix.upper()))
    found = examine(root)
    assert found.healthy and found.subsets[0].missing == 0 and found.subsets[0].unlisted == []
    shutil.copy(second, folder / "extra.wav")
    found = examine(root)
    assert found.healthy and "extra.wav" in "".join(found.remarks)
    second.rename(folder / second.name.upper())
    found = examine(root)
    (problem,) = found.problems
    assert "weak: clips are missing whose names are nearly those of 1 audio file" in problem
    assert problem.endswith(f"{second.name.upper()}; rename them, or the rows")


def test_a_silent_foreground_is_a_problem(healthy: Path, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(healthy, root)
    dog = next((root / "synthetic/audio/train/soundbank/foreground/Dog").iterdir())
    soundfile.write(dog, np.zeros(16000), 16000)
    (dog.parent / "._hidden.wav").touch()  # of a Mac; no file of the bank
    (problem,) = examine(root).problems
    assert problem.startswith("soundbank train: 1 silent foregrounds") and dog.name in problem


def test_a_job(healthy: Path, tmp_path: Path) -> None:
    roots = write_demo_tree(healthy, seed=1, sizes=TINY)
    weak = RecordedSet(kind="recorded", subset="weak")
    sets = {
        "train": SyntheticSet(kind="synthetic", split="train", count=20),
        "weak": weak,
        "eval": RecordedSet(kind="recorded", subset="eval"),
    }
    path = tmp_path / "job.yaml"
    job = DataJob(name="j", out=str(tmp_path / "out"), roots=roots, sets=sets)
    path.write_text(json.dumps(job.model_dump(mode="json")))
    found = examine(path)
    states = {s.name: (s.state, s.clips) for s in found.sets}
    assert states == {"train": ("to_build", 20), "weak": ("to_build", 6), "eval": ("impossible", 0)}
    assert any(
        "set eval: " in line and "public.tsv: no such file" in line for line in found.problems
    )
    assert not (tmp_path / "out").exists()
    path.write_text(json.dumps({**job.model_dump(mode="json"), "setz": {}}))
    with pytest.raises(ValueError, match="setz"):
        examine(path)


def test_what_is_neither_a_job_nor_a_folder_of_desed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere: no such file or folder; expected a data job"):
        examine(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds nothing of DESED"):
        examine(tmp_path)


def test_the_parts_of_a_subset_without_audio_are_those_of_the_split(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "dataset", clips=20)
    parts = {part: RecordedSet(kind="recorded", subset="weak", part=part) for part in PARTS}
    path = tmp_path / "job.yaml"
    job = weak_job(root, tmp_path / "out", sets=parts)
    path.write_text(json.dumps(job.model_dump(mode="json")))
    with_audio = examine(path)
    shutil.rmtree(root / "audio")
    for found in (with_audio, examine(path)):
        assert [(s.name, s.listed) for s in found.subsets] == [
            ("weak train", 18),
            ("weak xvalid", 2),
        ]
        assert not found.leaks
    train, xvalid = found.subsets
    assert train.missing == 18 and sum(s.per_class["Dog"] for s in (train, xvalid)) == 20


@pytest.mark.skipif(not METADATA.is_dir(), reason="no real metadata here")
def test_the_real_metadata() -> None:
    found = examine(METADATA)
    listed = {s.name: s.listed for s in found.subsets}
    assert listed == {"weak": 1578, "unlabelled": 14412, "validation": 1168, "eval": 692}
    validation = found.subsets[2]
    assert list(validation.per_class.values()) == [420, 94, 341, 559, 570, 65, 94, 237, 1752, 92]
    assert validation.eventless == 15 and validation.overlaps == 0
    assert len(found.leaks) == 6 and sum(leak.kind == "recording" for leak in found.leaks) == 5
    assert "eval: none of its 692 clips has audio" in found.problems


@pytest.mark.skipif(not MINI_DESED.is_dir(), reason="no mini-DESED here")
@pytest.mark.parametrize("target", ["root", "job"])
def test_mini_desed_is_healthy(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = examine(MINI_DESED if target == "root" else "data_jobs/mini_desed.yaml")
    assert found.problems == []
    assert sum(s.listed for s in found.subsets) == 450
    assert [sum(b.foregrounds.values()) for b in found.soundbank][:2] == [334, 60]
    assert len(found.sets) == (13 if target == "job" else 0)
