"""Recorded subsets: every layout on disk, every fault of a TSV, and the real metadata's counts."""

import json
from collections import Counter
from pathlib import Path

import pytest

from raysed.config.data_job import Features, RecordedSet
from raysed.data.clip import Event
from raysed.data.recorded.desed import list_recorded
from raysed.data.recorded.reading import read_recorded
from raysed.data.recorded.tsv import read_strong, read_unlabelled, read_weak
from tests.data.banks import write_audio
from tests.paths import MINI_DESED, SHARED

METADATA = SHARED / "data" / "desed_metadata"
needs_metadata = pytest.mark.skipif(not METADATA.is_dir(), reason="no real metadata here")
needs_mini = pytest.mark.skipif(not MINI_DESED.is_dir(), reason="no mini-DESED here")

CLASSES = (
    "Alarm_bell_ringing",
    "Blender",
    "Cat",
    "Dishes",
    "Dog",
    "Electric_shaver_toothbrush",
    "Frying",
    "Running_water",
    "Speech",
    "Vacuum_cleaner",
)
WEAK = "filename\tevent_labels\nb.wav\tDog,Cat\na.wav\tCat\nc.wav\tDog\n"
STRONG = (
    "filename\tonset\toffset\tevent_label\n"
    "b.wav\t0.5\t1.5\tDog\nb.wav\t1.0\t2.5\tDog\na.wav\t\t\t\nc.wav\t0.0\t3.2\tCat\n"
)


def recorded(subset: str, **options: object) -> RecordedSet:
    return RecordedSet(kind="recorded", subset=subset, **options)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def weak_tree(root: Path, audio: str = "audio/train/weak", names: str = "ab") -> Path:
    write(root / "metadata/train/weak.tsv", WEAK)
    for name in names:
        write_audio(root / audio / f"{name}.wav", 1.0)
    return root


def test_listed_clips_come_in_order_and_missing_ones_are_told(tmp_path: Path) -> None:
    listing = list_recorded(weak_tree(tmp_path), recorded("weak"), ["Cat", "Dog"])
    assert [(e.filename, e.path, e.events, e.weak_labels) for e in listing.entries] == [
        ("a.wav", "audio/train/weak/a.wav", None, ("Cat",)),
        ("b.wav", "audio/train/weak/b.wav", None, ("Cat", "Dog")),
    ]
    assert listing.missing == ("c.wav",)


def test_unlabelled_clips_have_no_labels_at_all(tmp_path: Path) -> None:
    write(tmp_path / "metadata/train/unlabel_in_domain.tsv", "filename\na.wav\n")
    write_audio(tmp_path / "audio/train/unlabel_in_domain/a.wav", 1.0)
    (entry,) = list_recorded(tmp_path, recorded("unlabelled")).entries
    assert entry.events is None and entry.weak_labels is None


@pytest.mark.parametrize(
    "folder",
    ["validation/validation", "validation", "validation/validation_16k", "validation_16k"],
)
def test_validation_layouts(tmp_path: Path, folder: str) -> None:
    write(tmp_path / "metadata/validation/validation.tsv", STRONG)
    for name in "abc":
        write_audio(tmp_path / "audio" / folder / f"{name}.wav", 3.0)
    listing = list_recorded(tmp_path, recorded("validation"), ["Cat", "Dog"])
    assert {e.filename: e.weak_labels for e in listing.entries} == {
        "a.wav": (),
        "b.wav": ("Dog",),
        "c.wav": ("Cat",),
    }
    # The events stay as the file has them: overlapping, and past the end of the clip.
    assert listing.entries[1].events == (Event(0.5, 1.5, "Dog"), Event(1.0, 2.5, "Dog"))
    assert listing.entries[2].events == (Event(0.0, 3.2, "Cat"),)
    (warning,) = listing.warnings
    assert "1 same-class overlaps in 1 clips" in warning


def test_a_clip_may_lie_in_a_sibling_folder_or_in_another_format(tmp_path: Path) -> None:
    weak_tree(tmp_path, names="a")
    write_audio(tmp_path / "audio/train/weak_16k/a.wav", 1.0)
    write_audio(tmp_path / "audio/train/weak_16k/b.flac", 1.0)
    entries = list_recorded(tmp_path, recorded("weak")).entries
    assert [e.path for e in entries] == ["audio/train/weak/a.wav", "audio/train/weak_16k/b.flac"]


def test_a_clip_some_milliseconds_longer_than_the_set_is_cut_and_keeps_its_duration(
    tmp_path: Path,
) -> None:
    """The features hold the set's 10 s; metrics know the recording's own 10.003 s."""
    root = weak_tree(tmp_path)
    write_audio(root / "audio/train/weak/a.wav", 10.003)
    entry, _ = list_recorded(root, recorded("weak")).entries
    (clip,) = read_recorded(root, entry, Features())
    assert clip.waveform_T.shape == (160000,) and clip.duration_s == 10.003


def test_unlisted_audio_beside_missing_clips_is_told(tmp_path: Path) -> None:
    root = weak_tree(tmp_path)
    write_audio(root / "audio/train/weak/C.wav", 1.0)
    for part in ("train", "all"):
        listing = list_recorded(root, recorded("weak", part=part))
        assert listing.missing == ("c.wav",) and listing.unlisted == ("audio/train/weak/C.wav",)
        (warning,) = listing.warnings
        assert "1 clips have no audio, but there are 1 audio file that no row of" in warning
        assert "lists: audio/train/weak/C.wav" in warning


def test_parts_and_limit(tmp_path: Path) -> None:
    names = [f"{i:03d}.wav" for i in range(40)]
    rows = "".join(f"{name}\tDog\n" for name in reversed(names))
    write(tmp_path / "metadata/train/weak.tsv", "filename\tevent_labels\n" + rows)
    for name in names:
        write(tmp_path / "audio/train/weak" / name, "")

    def listed(**options: object) -> list[str]:
        entries = list_recorded(tmp_path, recorded("weak", **options)).entries
        return [e.filename for e in entries]

    train, xvalid = listed(part="train"), listed(part="xvalid")
    assert len(train) == 36 and sorted(train + xvalid) == names
    assert listed(part="train", limit=5) == train[:5]
    assert listed(part="xvalid", split_seed=1) != xvalid


def test_the_split_does_not_depend_on_what_is_missing(tmp_path: Path) -> None:
    weak_tree(tmp_path, names="abc")
    whole = list_recorded(tmp_path, recorded("weak", part="train")).entries
    (tmp_path / "audio/train/weak/a.wav").unlink()
    part = list_recorded(tmp_path, recorded("weak", part="train"))
    assert [e for e in whole if e.filename != "a.wav"] == list(part.entries)


def test_reading_a_clip(tmp_path: Path) -> None:
    root = weak_tree(tmp_path)
    write_audio(root / "audio/train/weak/a.wav", 11.0, rate_hz=44100, channels=2)
    entry, _ = list_recorded(root, recorded("weak")).entries
    (clip,) = read_recorded(root, entry, Features())
    assert clip.filename == "a.wav" and clip.weak_labels == ("Cat",) and clip.events is None
    assert clip.waveform_T.shape == (160000,) and clip.duration_s == 11.0
    assert json.loads(clip.source) == {"file": "audio/train/weak/a.wav"}


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("filename\tlabels\na.wav\tDog\n", ["line 1", "labels", "event_labels"]),
        ("", ["line 1", "event_labels"]),
        ("filename\tevent_labels\na.wav\tDog\nb.wav\tBird\n", ["line 3", "'Bird'", "Cat, Dog"]),
        ("filename\tevent_labels\n/etc/a.wav\tDog\n", ["line 2", "/etc/a.wav"]),
        (
            "filename\tevent_labels\n../a.wav\tDog\n../b.wav\tDog\n",
            ["2 faults", "line 2", "line 3"],
        ),
        ("filename\tevent_labels\na.wav\n", ["line 2", "1 field, expected 2"]),
        ("filename\tevent_labels\na.wav\tDog\na.wav\tCat\n", ["line 3", "twice"]),
    ],
)
def test_faults_of_a_weak_tsv(tmp_path: Path, text: str, messages: list[str]) -> None:
    path = write(tmp_path / "weak.tsv", text)
    with pytest.raises(ValueError, match=r"weak\.tsv") as caught:
        read_weak(path, ["Cat", "Dog"])
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.wav\t1.0\t0.5\tDog", "0 <= onset < offset"),
        ("a.wav\t-1.0\t0.5\tDog", "0 <= onset < offset"),
        ("a.wav\tnan\t0.5\tDog", "0 <= onset < offset"),
        ("a.wav\tone\t2\tDog", "'one'"),
        ("a.wav\t1.0\t2.0\t", "event_label is empty"),
        ("a.wav\t1.0\t2.0\tBird", "'Bird'"),
        ("sub/../../a.wav\t1.0\t2.0\tDog", "leaves its folder"),
    ],
)
def test_faults_of_a_strong_tsv(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path / "v.tsv", f"filename\tonset\toffset\tevent_label\n{row}\n")
    with pytest.raises(ValueError, match="line 2") as caught:
        read_strong(path, ["Dog"])
    assert message in str(caught.value)


def test_at_most_ten_faults_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"{i}.wav\tBird\n" for i in range(25))
    path = write(tmp_path / "weak.tsv", "filename\tevent_labels\n" + rows)
    with pytest.raises(ValueError, match="25 faults") as caught:
        read_weak(path, ["Dog"])
    assert str(caught.value).count("'Bird'") == 10 and "15 more" in str(caught.value)


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        list_recorded(tmp_path / "nowhere", recorded("weak"))
    with pytest.raises(ValueError, match=r"train/weak\.tsv: no such file"):
        list_recorded(tmp_path, recorded("weak"))
    write(tmp_path / "metadata/train/weak.tsv", WEAK)
    with pytest.raises(ValueError, match="audio/train/weak"):
        list_recorded(tmp_path, recorded("weak"))


@needs_metadata
def test_counts_of_the_real_metadata() -> None:
    weak = read_weak(METADATA / "train/weak.tsv", CLASSES)
    validation = read_strong(METADATA / "validation/validation.tsv", CLASSES)
    evaluation = read_strong(METADATA / "eval/public.tsv", CLASSES)
    assert len(weak) == 1578
    assert len(read_unlabelled(METADATA / "train/unlabel_in_domain.tsv")) == 14412
    assert len(validation) == 1168 and len(evaluation) == 692
    assert sum(not events for events in validation.values()) == 15

    def per_class(labels: list[str]) -> list[int]:
        counts = Counter(labels)
        return [counts[label] for label in CLASSES]

    # The file's 206 alarms and 345 waters count a class twice in three clips that name it twice.
    repeated = [1, 0, 0, 0, 0, 0, 0, 2, 0, 0]
    published = [206, 134, 173, 184, 214, 103, 171, 345, 550, 167]
    clips = per_class([label for labels in weak.values() for label in labels])
    assert clips == [a - b for a, b in zip(published, repeated, strict=True)]
    assert per_class([e.event_label for events in validation.values() for e in events]) == [
        *(420, 94, 341, 559, 570, 65, 94, 237, 1752, 92)
    ]
    assert per_class([e.event_label for events in evaluation.values() for e in events]) == [
        *(196, 84, 240, 488, 441, 108, 90, 109, 913, 96)
    ]


@needs_metadata
def test_the_weak_split_of_the_real_metadata(tmp_path: Path) -> None:
    (tmp_path / "metadata").symlink_to(METADATA)
    (tmp_path / "audio/train/weak").mkdir(parents=True)
    parts = {
        part: list_recorded(tmp_path, recorded("weak", part=part)) for part in ("train", "xvalid")
    }
    assert len(parts["train"].missing) == 1420 and len(parts["xvalid"].missing) == 158
    assert not set(parts["train"].missing) & set(parts["xvalid"].missing)


@needs_mini
def test_mini_desed() -> None:
    for subset, count in (("weak", 160), ("unlabelled", 180), ("validation", 110)):
        listing = list_recorded(MINI_DESED, recorded(subset))
        assert len(listing.entries) == count and not listing.missing
    assert sum(len(e.events or ()) for e in listing.entries) == 395
    (clip,) = read_recorded(MINI_DESED, listing.entries[0], Features())
    assert clip.waveform_T.shape == (160000,) and clip.waveform_T.std() > 1e-4
