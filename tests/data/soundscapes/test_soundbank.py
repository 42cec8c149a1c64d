"""Which files belong to which split, and which co-occurrence files are refused."""

from pathlib import Path

import pytest

from raysed.data.soundscapes.cooccurrence import read_cooccurrences, substitute_missing
from raysed.data.soundscapes.soundbank import index_soundbank, soundbank_classes, source_id
from tests.paths import MINI_DESED, SHARED

METADATA = SHARED / "data" / "desed_metadata"


def bank(root: Path, split: str, files: dict[str, list[str]]) -> Path:
    for folder, names in files.items():
        for name in names:
            path = root / "audio" / split / "soundbank" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    return root


FILES = {
    "foreground/Dog": [f"{source}_{cut}.wav" for source in range(10) for cut in range(3)],
    "foreground/Cat_nOff": ["7.wav", "8.wav"],
    "background/room": [f"r{i}_{cut}.wav" for i in range(4) for cut in range(5)],
}


def names(paths: tuple[str, ...]) -> set[str]:
    return {Path(path).name for path in paths}


@pytest.mark.parametrize(
    "name", ["Dog\tbark", "Dog ", " Dog", "Dog\x7f", "Dog\nbark", "Dog\u2028bark"]
)
def test_a_folder_that_can_name_no_class_is_refused(tmp_path: Path, name: str) -> None:
    """As a class of the job's own list is."""
    bank(tmp_path, "train", {f"foreground/{name}": ["1.wav"], "foreground/Cat_nOff": ["2.wav"]})
    with pytest.raises(ValueError, match=r"a foreground folder can name no class: ") as told:
        soundbank_classes(tmp_path)
    assert repr(name) in str(told.value)


def test_source_ids_are_shared_by_the_cuts_of_a_recording() -> None:
    assert source_id("a/258175_1.wav") == source_id("b/258175_2.wav") == "258175"
    assert source_id("87151.wav") == "87151"
    assert source_id("b114_160_170.wav") == "b114"
    assert source_id("DevNode1_ex87_10.wav") == "DevNode1_ex87"


def test_the_validation_folder_is_x_valid(tmp_path: Path) -> None:
    bank(tmp_path, "train", FILES)
    bank(tmp_path, "validation", {"foreground/Dog": ["x.wav"], "background/room": ["y.wav"]})
    assert names(index_soundbank(tmp_path, "xvalid").foreground["Dog"]) == {"x.wav"}
    assert len(index_soundbank(tmp_path, "train").foreground["Dog"]) == 30


def test_a_list_takes_files_out_of_the_train_folder(tmp_path: Path) -> None:
    bank(tmp_path, "train", FILES)
    listed = tmp_path / "list.tsv"
    listed.write_text(
        "filepath\naudio/validation/soundbank/foreground/Dog/3_0.wav\n"
        "audio/validation/soundbank/background/room/r1_4.wav\n"
    )
    train = index_soundbank(tmp_path, "train", xvalid_list=listed)
    xvalid = index_soundbank(tmp_path, "xvalid", xvalid_list=listed)
    assert set(xvalid.foreground) == {"Dog"} and names(xvalid.foreground["Dog"]) == {"3_0.wav"}
    assert names(xvalid.backgrounds) == {"r1_4.wav"}
    assert len(train.foreground["Dog"]) == 29 and len(train.backgrounds) == 19


def test_else_a_tenth_of_the_recordings_of_each_folder(tmp_path: Path) -> None:
    bank(tmp_path, "train", FILES)
    train, xvalid = (index_soundbank(tmp_path, split, seed=4) for split in ("train", "xvalid"))
    assert len(xvalid.foreground["Dog"]) == 3 and len(xvalid.foreground["Cat_nOff"]) == 1
    assert len(xvalid.backgrounds) == 5
    for folder in FILES:
        side, label = folder.split("/")
        train_sources, xvalid_sources = (
            {source_id(path) for path in getattr(soundbank, side)[label]}
            for soundbank in (train, xvalid)
        )
        assert not train_sources & xvalid_sources
    assert index_soundbank(tmp_path, "xvalid", seed=4) == xvalid
    draws = {index_soundbank(tmp_path, "xvalid", seed=seed).foreground["Dog"] for seed in range(9)}
    assert len(draws) > 1


def test_a_recording_with_cuts_in_two_folders_is_on_one_side(tmp_path: Path) -> None:
    cuts = [f"{source}_0.wav" for source in range(8)]
    folders = {"foreground/Dog": cuts, "foreground/Dog_nOff": [*cuts[3:], "9_0.wav"]}
    bank(tmp_path, "train", folders | {"background/room": ["a_0.wav", "b_0.wav"]})
    for seed in range(10):
        sides = [
            {source_id(path) for paths in bank_of.foreground.values() for path in paths}
            for bank_of in (index_soundbank(tmp_path, s, seed=seed) for s in ("train", "xvalid"))
        ]
        assert not sides[0] & sides[1]


def test_classes_are_those_of_the_folders(tmp_path: Path) -> None:
    bank(tmp_path, "train", FILES)
    bank(tmp_path, "eval", {"foreground/Bird_nOn": ["a.wav"]})
    assert soundbank_classes(tmp_path) == ("Bird", "Cat", "Dog")


def test_faults_of_a_soundbank(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        index_soundbank(tmp_path / "nowhere", "train")
    with pytest.raises(ValueError, match="foreground: no audio"):
        index_soundbank(tmp_path, "train")
    bank(tmp_path, "train", {"foreground/Dog_nof": ["a.wav"], "background/room": ["b.wav"]})
    with pytest.raises(ValueError, match="Dog_nof"):
        index_soundbank(tmp_path, "train")
    with pytest.raises(ValueError, match="Dog_nof"):
        soundbank_classes(tmp_path)


@pytest.mark.skipif(not METADATA.is_dir(), reason="no real metadata here")
def test_the_published_split_and_cooccurrences(tmp_path: Path) -> None:
    listed = METADATA / "soundbank_validation.tsv"
    for line in listed.read_text().splitlines()[1:]:
        path = tmp_path / line.replace("audio/validation", "audio/train")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        path.with_stem(path.stem + "b").write_bytes(b"")
    xvalid = index_soundbank(tmp_path, "xvalid", xvalid_list=listed)
    train = index_soundbank(tmp_path, "train", xvalid_list=listed)
    for soundbank in (train, xvalid):
        assert sum(len(paths) for paths in soundbank.foreground.values()) == 100
        assert len(soundbank.backgrounds) == 298
    rows = read_cooccurrences(METADATA / "event_occurences_train.json")
    assert sum(round(4500 * row.proba) for row in rows) == 4500
    # The published x-valid soundbank lacks a folder that the co-occurrence file names.
    _, warnings = substitute_missing(rows, set(xvalid.foreground))
    assert len(warnings) == 1 and "Vacuum_cleaner_nOn " in warnings[0]


@pytest.mark.skipif(not MINI_DESED.is_dir(), reason="no mini-DESED here")
def test_mini_desed() -> None:
    root = MINI_DESED / "soundbank"
    assert len(soundbank_classes(root)) == 10
    counts = {
        split: sum(len(p) for p in index_soundbank(root, split).foreground.values())
        for split in ("train", "xvalid", "eval")
    }
    assert counts == {"train": 334, "xvalid": 60, "eval": 93}
