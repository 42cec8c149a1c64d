"""The built-in sound bank: sounds, mixtures, and a tree that appears whole or not at all."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from raysed.config.data_job import Features, RecordedSet
from raysed.data.recorded.desed import list_recorded
from raysed.data.recorded.reading import read_recorded
from raysed.data.soundscapes.loudness import integrated_lufs
from raysed.data.soundscapes.soundbank import index_soundbank, soundbank_classes
from raysed.demo import procedural
from raysed.demo.procedural import mixture, write_demo_tree
from raysed.demo.procedural_sounds import SOUNDS
from tests.data.banks import TINY


def test_mixtures_have_events_at_scapers_level() -> None:
    drawn = [mixture(np.random.default_rng(i), 5.0) for i in range(40)]
    counts = Counter(e.event_label for _, events in drawn for e in events)
    assert set(counts) == set(SOUNDS)
    for waveform_T, events in drawn:
        assert len(waveform_T) == 80000 and events
        assert all(0 <= e.onset < e.offset <= 5.0 for e in events)
        assert -56.0 < integrated_lufs(waveform_T, 16000) < -25.0


def tree_digest(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


@pytest.mark.slow
def test_the_tree_is_a_function_of_seed_and_sizes(tmp_path: Path) -> None:
    write_demo_tree(tmp_path / "a", seed=1, sizes=TINY)
    write_demo_tree(tmp_path / "b", seed=1, sizes=TINY)
    write_demo_tree(tmp_path / "c", seed=2, sizes=TINY)
    digests = [tree_digest(tmp_path / name) for name in "abc"]
    assert digests[0] == digests[1] != digests[2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


@pytest.mark.slow
def test_a_finished_tree_is_used_again_and_another_replaced(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    write_demo_tree(root, seed=1, sizes=TINY)
    before = (root / "demo.json").stat().st_mtime_ns
    write_demo_tree(root, seed=1, sizes=TINY)
    assert (root / "demo.json").stat().st_mtime_ns == before
    first = tree_digest(root)
    write_demo_tree(root, seed=2, sizes=TINY)
    assert tree_digest(root) != first
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not a demo sound bank"):
        write_demo_tree(tmp_path, sizes=TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_interrupted_tree_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedural, "_write_recorded", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_demo_tree(tmp_path / "tree", sizes=TINY)
    assert list(tmp_path.iterdir()) == []


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_tree_is_read_like_desed(tmp_path: Path) -> None:
    roots = write_demo_tree(tmp_path / "tree", seed=1, sizes=TINY)
    assert roots.recorded is not None and roots.soundbank is not None
    assert soundbank_classes(roots.soundbank) == tuple(sorted(SOUNDS))
    assert len(index_soundbank(roots.soundbank, "train").foreground["Dog"]) == 3
    assert len(index_soundbank(roots.soundbank, "xvalid").foreground["Dog"]) == 2
    for subset, count in (("weak", 6), ("unlabelled", 4), ("validation", 5)):
        data_set = RecordedSet(kind="recorded", subset=subset)
        listing = list_recorded(roots.recorded, data_set, tuple(SOUNDS))
        assert len(listing.entries) == count and not listing.missing and not listing.warnings
        (clip,) = read_recorded(roots.recorded, listing.entries[0], Features(duration_s=5.0))
        assert len(clip.waveform_T) == 80000 and clip.waveform_T.std() > 1e-4
