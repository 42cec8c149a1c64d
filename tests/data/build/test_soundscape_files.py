"""Exported soundscapes: the audio to the bit, and JAMS from which Scaper makes it again."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.data_job import DataJob, Roots, SyntheticSet
from raysed.data.build.dataset_plan import Shard, plan
from raysed.data.build.source import SyntheticSource
from raysed.data.build.stages import ShardWriter, make_clips, target
from raysed.storage.folder import Folder
from tests.data.banks import write_edge_bank


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    return write_edge_bank(tmp_path_factory.mktemp("edge"))


def job_of(roots: Roots, out: Path, *export: str) -> DataJob:
    data_set = SyntheticSet(
        kind="synthetic", split="train", count=10, seed=5, max_polyphony=9, export=export
    )
    return DataJob(name="edge", out=str(out), roots=roots, mel="torchaudio", sets={"s": data_set})


def written(roots: Roots, out: Path, *export: str) -> tuple[Path, SyntheticSource]:
    """The folder of the set after its first shard was made, without Ray."""
    (planned,) = plan(job_of(roots, out, *export))
    assert isinstance(planned.source, SyntheticSource)
    shard = Shard("shard-00000.parquet", 0, 6)
    writer = ShardWriter("torchaudio", planned.features, batch=6, device_id=None)
    writer.write(target(planned, shard), make_clips(planned.source, shard))
    return Path(planned.url), planned.source


def test_nothing_is_written_unasked(roots: Roots, tmp_path: Path) -> None:
    folder, _ = written(roots, tmp_path)
    assert [path.name for path in folder.iterdir()] == ["shard-00000.parquet"]


def test_the_wav_is_what_the_features_were_computed_from(roots: Roots, tmp_path: Path) -> None:
    folder, source = written(roots, tmp_path, "wav")
    assert {path.name for path in folder.iterdir()} == {"shard-00000.parquet", "wav"}
    clips = [clip for index in range(6) for clip in source.make(index)]
    assert len(list((folder / "wav").iterdir())) == 6
    for clip in clips:
        waveform_T, rate_hz = soundfile.read(folder / "wav" / clip.filename, dtype="float32")
        assert rate_hz == 16000
        np.testing.assert_array_equal(waveform_T, clip.waveform_T)


def test_scaper_makes_the_audio_again_from_the_jams(roots: Roots, tmp_path: Path) -> None:
    import jams
    from scaper.core import generate_from_jams

    folder, source = written(roots, tmp_path, "jams")
    bank = source.context.soundbank
    for index in (0, 3, 5):
        (clip,) = source.make(index)
        path = folder / "jams" / Path(clip.filename).with_suffix(".jams").name
        assert (
            str(tmp_path) not in path.read_text() and bank.foreground_root not in path.read_text()
        )
        document = jams.load(str(path))
        assert document.sandbox.labels == [vars(event) for event in clip.events or ()]
        audio_TC, _, events, _ = generate_from_jams(
            str(path), fg_path=bank.foreground_root, bg_path=bank.background_root
        )
        assert np.abs(audio_TC[:, 0] - clip.waveform_T).max() < 1e-6
        assert len(events) == len(json.loads(clip.source)["events"]) - 1


def test_the_same_export_has_the_same_bytes(roots: Roots, tmp_path: Path) -> None:
    first, _ = written(roots, tmp_path / "a", "wav", "jams")
    second, _ = written(roots, tmp_path / "b", "wav", "jams")
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert len(names) == 13
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_export_is_part_of_the_identity(roots: Roots, tmp_path: Path) -> None:
    ids = {plan(job_of(roots, tmp_path, *e))[0].id for e in ((), ("wav",), ("wav", "jams"))}
    assert len(ids) == 3


def test_exports_of_any_file_system_are_bytes() -> None:
    from raysed.config.data_job import Features
    from raysed.data.build.soundscape_files import wav_bytes

    content = wav_bytes(np.linspace(-2, 2, 9), Features())
    waveform_T, rate_hz = soundfile.read(io.BytesIO(content))
    # Float samples may pass full scale.
    assert rate_hz == 16000 and waveform_T.tolist() == np.linspace(-2, 2, 9).tolist()
    assert Folder("s3://bucket/set").child("wav").url == "s3://bucket/set/wav"
