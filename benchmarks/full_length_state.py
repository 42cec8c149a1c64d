"""A run as few files of a bounded size in a folder: brought there while it runs, and restored from there where its own is gone.

All that a report reads (plan, curves, logs, scores, statistics), and the checkpoints of trials that are not finished, those of
the furthest first, as many as the bound leaves room for. A trial whose checkpoints found no room begins again.
"""

import tempfile
from pathlib import Path

from benchmarks.parts import MIB, join_parts, write_parts
from raysed.run.folders import LAST, LOCK, RESULT, STATUS, TRIALS, TrialFolder
from raysed.storage.folder import Folder

INDEX = "state.json"
PART_BYTES = 16 * MIB
"""Most bytes of a file of the state."""
STATE_BYTES = 60 * MIB
"""Most bytes of all of them, unless what a report reads is more."""
_LEFT = {STATUS, LOCK, "tensorboard"}
"""The names of files that say who works on the run, or follow from the rest."""
_CHECKPOINTS = Path(LAST).parts[0]
_TRIES = 5


def bring_back(run: Path, out: Path, most: int = STATE_BYTES) -> list[str]:
    """Write the state of a run, which may go on meanwhile, into `out`, old or new and never half; return the trials
    whose checkpoints found no room.
    """
    contents = {
        name: path.read_bytes()
        for name, path in _files(run).items()
        if _CHECKPOINTS not in Path(name).parts
    }
    if not contents:
        return []
    size = sum(map(len, contents.values()))
    left = []
    for trial in _unfinished(run, contents):
        kept = {f"{TRIALS}/{trial.name}/{n}": c for n, c in _checkpoints(trial).items()}
        needed = sum(map(len, kept.values()))
        if size + needed > most:
            left.append(trial.name)
        else:
            contents, size = contents | kept, size + needed
    write_parts(out / INDEX, contents, PART_BYTES)
    return left


def restore(out: Path, run: Path) -> bool:
    """Make the run's folder, all or nothing, from what `bring_back` left; one that is there is the newer one and stays.

    Returns whether it was made. ValueError where a file of the state is missing or damaged.
    """
    if run.exists() or not (out / INDEX).is_file():
        return False
    run.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.parent, prefix=f".{run.name}-") as scratch:
        fresh = Path(scratch) / "run"
        join_parts(out / INDEX, fresh)
        fresh.rename(run)
    return True


def _unfinished(run: Path, contents: dict[str, bytes]) -> list[Path]:
    """Return the folders of trials that have checkpoints and no result, the furthest first."""
    trials = [
        trial
        for trial in sorted((run / TRIALS).glob("*"))
        if (trial / LAST).is_file() and f"{TRIALS}/{trial.name}/{RESULT}" not in contents
    ]
    return sorted(trials, key=lambda trial: -len(TrialFolder(Folder(str(trial))).epochs()))


def _files(folder: Path) -> dict[str, Path]:
    """Return the finished files below a folder, by their names in it."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {path.relative_to(folder): path for path in paths}
    return {
        name.as_posix(): path
        for name, path in names.items()
        if not _LEFT & set(name.parts) and not any(part.startswith(".") for part in name.parts)
    }


def _checkpoints(trial: Path) -> dict[str, bytes]:
    """Read the checkpoints of one moment: a best model is written after the state that it belongs to."""
    kept: dict[str, bytes] = {}
    for _ in range(_TRIES):
        written = (trial / LAST).stat().st_mtime_ns
        files = _files(trial / _CHECKPOINTS)
        kept = {f"{_CHECKPOINTS}/{name}": path.read_bytes() for name, path in files.items()}
        if (trial / LAST).stat().st_mtime_ns == written:
            break
    return kept
