"""The soundbank: isolated foreground events and backgrounds of a split, by path or URL.

Indexing lists folders only (0.1 s for DESED on a disk); nothing is decoded.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raysed.config.base import checked_line
from raysed.data.audio import AUDIO_EXTENSIONS
from raysed.data.soundscapes.placement import split_label
from raysed.storage.files import read_bytes
from raysed.storage.places import files_by_folder, is_file, is_folder, joined

SOURCE_XVALID_FRACTION = 0.1

_FOLDERS = {"train": "train", "xvalid": "validation", "eval": "eval"}
# `258175_1.wav` and `258175_2.wav` are cut from one recording, and so are `b114_160_170.wav`'s
# neighbours.
_CUT_NUMBERS = re.compile(r"(_\d+)+$")


@dataclass(frozen=True)
class Soundbank:
    """Absolute paths, or URLs, of the source files of one split, by folder name (foregrounds with suffix)."""

    foreground_root: str
    background_root: str
    foreground: dict[str, tuple[str, ...]]
    background: dict[str, tuple[str, ...]]

    @property
    def foregrounds(self) -> tuple[str, ...]:
        """Return all foreground files, folder by folder."""
        return tuple(path for paths in self.foreground.values() for path in paths)

    @functools.cached_property
    def backgrounds(self) -> tuple[str, ...]:
        """Return all background files, folder by folder."""
        return tuple(path for paths in self.background.values() for path in paths)


def source_id(path: str | Path) -> str:
    """Return the name of the recording that a soundbank file was cut from: its stem without trailing
    `_<number>`s.

    A file that is only numbered within its folder (`rain/rain_003.wav`) is a recording of its own.
    """
    path = Path(path)
    return path.stem if is_only_numbered(path) else _CUT_NUMBERS.sub("", path.stem)


def is_only_numbered(path: str | Path) -> bool:
    """Tell whether the name says nothing about the source of the sound."""
    path = Path(path)
    return _CUT_NUMBERS.sub("", path.stem) in ("", path.parent.name)


def soundbank_classes(root: str | Path) -> tuple[str, ...]:
    """Return the classes of all splits' foregrounds, sorted, with suffixes stripped.

    Raises ValueError where there are none, and for a folder whose name can be no class.
    """
    folders = [
        label for split in _FOLDERS.values() for label in _list(_side(root, split, "foreground"))
    ]
    if not folders:
        raise ValueError(
            f"{root}: has no audio/train/soundbank/foreground/<Class> folders with audio"
        )
    for folder in folders:
        try:
            checked_line(split_label(folder)[0])
        except ValueError as error:
            raise ValueError(f"{root}: a foreground folder can name no class: {error}") from error
    return tuple(sorted({split_label(folder)[0] for folder in folders}))


def index_soundbank(
    root: str | Path, split: str, *, xvalid_list: str | Path | None = None, seed: int = 0
) -> Soundbank:
    """Index the soundbank of `split` (train, xvalid or eval) under `root` (DESED's `synthetic` folder).

    x-valid is the `audio/validation/soundbank` folder where there is one; else the files of
    `xvalid_list`; else a tenth of the source recordings of every folder, drawn with `seed`. Train
    is the train folder without those. Raises ValueError for missing folders, unknown suffixes, and
    classes without files.
    """
    folder = _FOLDERS[split]
    if not is_folder(root):
        raise ValueError(f"{root}: no such folder; roots.soundbank holds audio/train/soundbank")
    has_folder = is_folder(_side(root, "validation", "foreground"))
    home = "train" if split == "xvalid" and not has_folder else folder
    sides = {}
    for side in ("foreground", "background"):
        files = _list(_side(root, home, side))
        if home == "train":
            held_out = _held_out(
                files, side, has_folder=has_folder, xvalid_list=xvalid_list, seed=seed
            )
            files = _select(files, held_out, wanted=split == "xvalid")
        if not files:
            raise ValueError(f"{_side(root, home, side)}: no audio for the {split} soundscapes")
        sides[side] = files
    for label in sides["foreground"]:
        split_label(label)
    return Soundbank(
        foreground_root=_side(root, home, "foreground"),
        background_root=_side(root, home, "background"),
        foreground=sides["foreground"],
        background=sides["background"],
    )


def _side(root: str | Path, folder: str, side: str) -> str:
    return joined(root, "audio", folder, "soundbank", side)


def _list(folder: str) -> dict[str, tuple[str, ...]]:
    """List the audio files of each subfolder, both sorted."""
    if not is_folder(folder):
        return {}
    listed = {
        label: tuple(
            joined(folder, label, name)
            for name in names
            if Path(name).suffix.lower() in AUDIO_EXTENSIONS
        )
        for label, names in files_by_folder(folder).items()
    }
    return {label: files for label, files in listed.items() if files}


def _select(
    files: dict[str, tuple[str, ...]], held_out: set[str], *, wanted: bool
) -> dict[str, tuple[str, ...]]:
    kept = {
        label: tuple(path for path in paths if (path in held_out) == wanted)
        for label, paths in files.items()
    }
    return {label: paths for label, paths in kept.items() if paths}


def _held_out(
    files: dict[str, tuple[str, ...]],
    side: str,
    *,
    has_folder: bool,
    xvalid_list: str | Path | None,
    seed: int,
) -> set[str]:
    """Return the files of the train folder that belong to x-valid."""
    if xvalid_list is not None:
        listed = _read_list(xvalid_list)
        return {
            path
            for label, paths in files.items()
            for path in paths
            if (side, label, Path(path).stem) in listed
        }
    if has_folder:
        return set()
    held_sources = _draw_sources(files, seed)
    return {path for paths in files.values() for path in paths if source_id(path) in held_sources}


def _draw_sources(files: dict[str, tuple[str, ...]], seed: int) -> set[str]:
    """Draw a tenth of every folder's recordings (at least one, never all); a recording that has cuts in
    several folders is on one side only.
    """
    held_out: set[str] = set()
    decided: set[str] = set()
    for label, paths in sorted(files.items()):
        sources = sorted({source_id(path) for path in paths})
        wanted = min(max(1, round(SOURCE_XVALID_FRACTION * len(sources))), len(sources) - 1)
        missing = max(0, wanted - len(held_out.intersection(sources)))
        free = [source for source in sources if source not in decided]
        random = np.random.default_rng([seed, *label.encode()])
        held_out |= {free[i] for i in random.permutation(len(free))[:missing]}
        decided.update(sources)
    return held_out


def _read_list(path: str | Path) -> set[tuple[str, str, str]]:
    """Read side, folder and stem of every line `audio/validation/soundbank/<side>/<folder>/<file>`."""
    if not is_file(path):
        raise ValueError(f"{path}: no such file (roots.soundbank_validation)")
    header, *lines = read_bytes(str(path)).decode().splitlines() or [""]
    if header.strip() != "filepath":
        raise ValueError(f"{path}, line 1: the column is {header!r}, expected 'filepath'")
    listed = set()
    for number, line in enumerate(lines, start=2):
        parts = Path(line.strip()).parts
        if len(parts) < 3 or parts[-3] not in ("foreground", "background"):
            raise ValueError(
                f"{path}, line {number}: {line!r} is not "
                "…/soundbank/foreground|background/<folder>/<file>"
            )
        listed.add((parts[-3], parts[-2], Path(parts[-1]).stem))
    return listed
