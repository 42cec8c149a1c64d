"""The parts of DESED that lie in a folder, in any of the layouts that users have."""

from collections.abc import Sequence
from pathlib import Path

from raysed.config.data_job import RecordedSet, Roots
from raysed.data.recorded.desed import audio_folders, tsv_path
from raysed.storage.places import is_file


def find_roots(root: str | Path) -> Roots:
    """Find the parts of DESED in a folder. Raises ValueError if there is none."""
    root = Path(root).resolve()

    def first(marks: Sequence[str], *places: str) -> str | None:
        folders = [root / place for place in places]
        return next((str(f) for f in folders if any((f / mark).exists() for mark in marks)), None)

    bank_marks = [f"audio/{split}/soundbank" for split in ("train", "validation", "eval")]
    roots = Roots(
        recorded=first(["metadata", "audio/train", "train/weak.tsv"], "dataset", "."),
        soundbank=first(bank_marks, "synthetic", "soundbank", "."),
        rir=first(["train", "validation", "eval"], "rir_data", "rir"),
    )
    if not any((roots.recorded, roots.soundbank, roots.rir)):
        raise ValueError(
            f"{root}: holds nothing of DESED: neither dataset/ (or audio/ and metadata/), nor "
            "synthetic/ (or soundbank/), nor rir_data/ (or rir/)"
        )
    return roots


def subsets_in(roots: Roots) -> list[RecordedSet]:
    """Return the subsets that a root holds annotations or audio of."""
    if roots.recorded is None:
        return []
    root = Path(roots.recorded)
    ready_made = {path.parent.name for path in root.glob("audio/*/*/soundscapes*/")}
    ready_made |= {path.parent.name for path in root.glob("metadata/*/*/soundscapes.tsv")}
    sets = [
        RecordedSet(kind="recorded", subset=subset)
        for subset in ("weak", "unlabelled", "validation", "eval")
    ] + [
        RecordedSet(kind="recorded", subset="synthetic", folder=name) for name in sorted(ready_made)
    ]
    return [s for s in sets if is_file(tsv_path(root, s)) or audio_folders(root, s)]


def splits_in(roots: Roots) -> list[str]:
    """Return the soundbank's splits; x-valid is drawn from train where it has no folder."""
    if roots.soundbank is None:
        return []
    has_eval = Path(roots.soundbank, "audio/eval/soundbank").is_dir()
    return ["train", "xvalid", *(["eval"] if has_eval else [])]
