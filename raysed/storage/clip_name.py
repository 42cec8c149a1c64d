"""The names of clips in files: annotations, durations, predictions and score files."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

AUDIO_SUFFIXES = frozenset(
    (
        *(
            ".wav",
            ".flac",
            ".ogg",
            ".oga",
            ".opus",
            ".mp3",
            ".aif",
            ".aiff",
            ".aifc",
            ".au",
            ".snd",
        ),
        *(".caf", ".w64", ".rf64", ".sph", ".nist", ".voc", ".avr", ".paf", ".ircam", ".sf"),
        *(".m4a", ".mp4", ".aac", ".wma", ".webm", ".mka", ".mkv", ".mov", ".amr", ".3gp", ".ac3"),
    )
)
"""In lower case. Only these are taken off a name: what follows the last dot of `Y1_30.000_40.000` is a time."""


READABLE_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd"),
    *(".caf", ".w64", ".rf64", ".sph", ".nist", ".voc", ".avr", ".paf", ".ircam", ".sf"),
)
"""Suffixes of what libsndfile reads, which are looked for in folders (raysed.data.containers.ffmpeg tells of the others); a
file that is given by name is tried whatever its suffix."""


def clip_name(path: str) -> str:
    """Return the name of a clip: its whole path within the folder of recordings, without the audio suffix.

    `day1/take.wav` is `day1/take`, and so is `./day1/take.WAV`; `Y1_30.000_40.000` stays as it is. What is
    written about a clip (`predict --out`, `--scores`) lies at this name with a suffix of its own, and what
    reads such files looks for it there: one stem in two folders is two clips.
    """
    name = PurePosixPath(path)
    return str(name.with_suffix("") if name.suffix.lower() in AUDIO_SUFFIXES else name)


def compared_name(path: str) -> str:
    """Return `clip_name` as it is compared: an accented letter is one sign, which macOS and archives from it write as two."""
    return unicodedata.normalize("NFC", clip_name(path))


def match_clips(given: Iterable[str], clips: Iterable[str]) -> dict[str, str]:
    """Return which of the `clips` each given name means; a name without a clip, or with several, is left out.

    A name means the clip that is spelt like it; else the one of the same `compared_name`; else the one whose
    `compared_name` ends in this one's parts, or the other way round (a folder that one of the two leaves out).
    Where two given names mean one clip, only the one that is spelt like it is kept.
    """
    clips, given = list(dict.fromkeys(clips)), list(dict.fromkeys(given))
    known = {clip: clip for clip in clips}  # the clips' own strings, so that no table's are kept
    found = {known[name]: known[name] for name in given if name in known}
    if len(found) < len(given):
        found = _by_parts(given, clips, {*known})
    count = Counter(found.values())
    return {name: clip for name, clip in found.items() if name == clip or count[clip] == 1}


def _by_parts(given: list[str], clips: list[str], known: set[str]) -> dict[str, str]:
    """Return the one clip that each given name means, where names are not all spelt like the clips."""
    tails, by_name = defaultdict(list), defaultdict(list)
    for clip in clips:
        for tail in name_tails(compared_name(clip)):
            tails[tail].append(clip)
        by_name[compared_name(clip)].append(clip)
    found: dict[str, str] = {}
    for name in given:
        wanted = compared_name(name)
        meant = [name] if name in known else by_name.get(wanted) or tails.get(wanted) or []
        if not meant:
            meant = [clip for tail in name_tails(wanted) for clip in by_name.get(tail, ())]
        if len(meant) == 1:
            found[name] = meant[0]
    return found


def name_tails(name: str) -> list[str]:
    """Return `a/b/c`, `b/c` and `c` for `a/b/c`."""
    parts = name.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
