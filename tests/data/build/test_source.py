"""Where clips come from: each by its index, and a fingerprint that follows content and not place."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.data_job import DataJob, RecordedSet, Roots
from raysed.data.build.source import RecordedSource, SyntheticSource, open_source
from tests.data.banks import edge_job, write_audio, write_edge_bank
from tests.data.recorded_tree import weak_job, write_tree


def recorded(root: Path) -> RecordedSource:
    source = open_source(weak_job(root, "out"), "weak", ("Cat", "Dog"))
    assert isinstance(source, RecordedSource)
    return source


def write_rooms(root: Path) -> None:
    for name in ("background0.wav", "foreground1.wav", "foreground0.wav"):
        write_audio(root / "rir/train/rir1_3" / name, 0.2)


def synthetic(root: Path, **changes: object) -> SyntheticSource:
    roots = Roots(soundbank=str(root / "synthetic"), cooccurrences=str(root), rir=str(root / "rir"))
    source = open_source(edge_job(roots, **changes), "soundscapes", ("Dog", "Frying", "Speech"))
    assert isinstance(source, SyntheticSource)
    return source


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bank")
    write_edge_bank(root)
    write_rooms(root)
    return root


def test_recorded_clips_by_index(tmp_path: Path) -> None:
    source = recorded(write_tree(tmp_path / "dataset"))
    assert (source.subset, source.count) == ("weak", 10)
    assert source.missing == ("Y07_0.000_1.000.wav",)
    names = [source.filename(index) for index in range(source.count)]
    assert names == [f"Y{n:02d}_0.000_1.000.wav" for n in range(11) if n != 7]
    (clip,) = source.make(7)
    samples_T, _ = soundfile.read(
        tmp_path / "dataset/audio/train/weak" / source.filename(7), dtype="float32"
    )
    assert (clip.filename, clip.weak_labels, clip.events) == (names[7], ("Dog",), None)
    np.testing.assert_array_equal(clip.waveform_T, samples_T)


def test_reasons_name_the_file_and_not_this_machine(tmp_path: Path) -> None:
    source = recorded(write_tree(tmp_path / "dataset"))
    with pytest.raises(ValueError) as raised:
        source.make(3)
    assert str(raised.value).startswith(f"{tmp_path}/dataset/audio/train/weak/Y03")
    assert source.reason(raised.value).startswith("audio/train/weak/Y03_0.000_1.000.wav: cannot be")


def test_a_recorded_fingerprint_follows_names_labels_and_sizes(tmp_path: Path) -> None:
    first, moved = write_tree(tmp_path / "a"), write_tree(tmp_path / "elsewhere/b")
    before = recorded(first).fingerprint()
    assert recorded(moved).fingerprint() == before
    audio, tsv = moved / "audio/train/weak/Y00_0.000_1.000.wav", moved / "metadata/train/weak.tsv"
    soundfile.write(audio, np.zeros(100), 16000)
    resized = recorded(moved).fingerprint()
    tsv.write_text(tsv.read_text().replace("Cat,Dog", "Cat"))
    relabelled = recorded(moved).fingerprint()
    audio.unlink()
    assert before != resized != relabelled != recorded(moved).fingerprint()


def test_soundscapes_by_index(bank: Path) -> None:
    source = synthetic(bank, max_polyphony=1)
    assert (source.subset, source.count, source.missing, source.warnings) == (
        "synthetic",
        30,
        (),
        (),
    )
    assert source.filename(29) == "train-000029.wav"
    made = [source.make(index) for index in range(source.count)]
    assert [clip.filename for clips in made for clip in clips] == [
        source.filename(index) for index, clips in enumerate(made) if clips
    ]
    # The filter drops some.
    assert 0 < made.count(()) < 30


def test_a_part_holds_the_same_soundscapes_as_the_whole_set(bank: Path) -> None:
    whole, part = synthetic(bank), synthetic(bank, part="xvalid")
    assert part.count == 3
    names = [whole.filename(index) for index in range(whole.count)]
    index = names.index(part.filename(1))
    ours, theirs = part.make(1), whole.make(index)
    assert [clip.filename for clip in ours] == [clip.filename for clip in theirs]
    for a, b in zip(ours, theirs, strict=True):
        assert a.events == b.events and (a.waveform_T == b.waveform_T).all()


def test_a_synthetic_fingerprint_follows_the_audio_wherever_it_lies(
    bank: Path, tmp_path: Path
) -> None:
    before = synthetic(bank, reverb="rir").fingerprint()
    shutil.copytree(bank, tmp_path / "moved")
    assert synthetic(tmp_path / "moved", reverb="rir").fingerprint() == before
    # Rooms count only where they are heard.
    assert synthetic(bank).fingerprint() == {**before, "rooms": []}
    soundbank = "synthetic/audio/train/soundbank"
    for n, path in enumerate(
        (
            f"{soundbank}/foreground/Dog/short_0.wav",
            f"{soundbank}/background/room/short_0.wav",
            "rir/train/rir1_3/foreground1.wav",
        )
    ):
        shutil.copytree(bank, tmp_path / str(n))
        write_audio(tmp_path / str(n) / path, 0.77)
        changed = synthetic(tmp_path / str(n), reverb="rir").fingerprint()
        assert [key for key in before if changed[key] != before[key]] == [
            ("foreground", "background", "rooms")[n]
        ]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("synthetic/audio/train/soundbank/foreground/Dog/a.wav", "foreground/Dog/a.wav"),
        ("synthetic/audio/train/soundbank/background/room/a.wav", "background/room/a.wav"),
        ("rir/train/rir1_3/foreground0.wav", "train/rir1_3/foreground0.wav"),
    ],
)
def test_reasons_of_soundscapes_hold_no_folders_of_this_machine(
    bank: Path, path: str, shown: str
) -> None:
    error = ValueError(f"{bank / path}: cannot be read")
    assert synthetic(bank, reverb="rir").reason(error) == f"{shown}: cannot be read"


def test_opening_a_source_names_what_is_impossible(tmp_path: Path, bank: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere: no such folder; roots\.recorded holds"):
        open_source(weak_job(tmp_path / "nowhere", "out"), "weak", ("Cat", "Dog"))
    roots = Roots(soundbank=str(bank / "synthetic"), cooccurrences=str(tmp_path))
    with pytest.raises(ValueError, match=r"event_occurences_train\.json: no such file"):
        open_source(edge_job(roots), "soundscapes", ("Dog", "Frying", "Speech"))


def test_labels_outside_the_classes_are_refused(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "dataset")
    job = DataJob(
        name="j",
        out="out",
        roots=Roots(recorded=str(root)),
        sets={"w": RecordedSet(kind="recorded", subset="weak")},
    )
    with pytest.raises(ValueError, match=r"(?s)weak\.tsv.*line 3.*Cat"):
        open_source(job, "w", ("Dog",))
