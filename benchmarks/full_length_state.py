"""A run as few files in a folder: brought there while it runs, and restored from there where its own folder is gone.

OUT/results.tar    all that a report reads: plan, curves, logs, scores, statistics
OUT/<trial>.tar    the checkpoints of a trial that is not finished, as long as it is not
"""

import io
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from raysed.run.folders import LAST, LOCK, RESULT, STATUS, TRIALS
from raysed.storage.whole_file import whole_file

RESULTS_TAR = "results.tar"
_LEFT = {STATUS, LOCK, "tensorboard"}
"""The names of files that say who works on the run, or follow from the rest."""
_CHECKPOINTS = Path(LAST).parts[0]
_TRIES = 5


def bring_back(run: Path, out: Path) -> None:
    """Write the state of a run, which may go on meanwhile, into `out`; each file there is old or new, never half."""
    results = {
        name: path.read_bytes()
        for name, path in _files(run).items()
        if _CHECKPOINTS not in Path(name).parts
    }
    if not results:
        return
    _write_tar(out / RESULTS_TAR, results)
    for trial in sorted((run / TRIALS).glob("*")):
        tar = out / f"{trial.name}.tar"
        if f"{TRIALS}/{trial.name}/{RESULT}" in results:
            tar.unlink(missing_ok=True)
        elif (trial / LAST).is_file():
            kept = _checkpoints(trial)
            _write_tar(tar, {f"{TRIALS}/{trial.name}/{n}": content for n, content in kept.items()})


def restore(out: Path, run: Path) -> bool:
    """Make the run's folder, all or nothing, from what `bring_back` left; one that is there is the newer one and stays.

    Returns whether it was made.
    """
    tars = sorted(out.glob("*.tar"))
    if run.exists() or not tars:
        return False
    run.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run.parent, prefix=f".{run.name}-") as scratch:
        fresh = Path(scratch) / "run"
        for path in tars:
            with tarfile.open(path) as tar:
                tar.extractall(fresh, filter="data")
        fresh.rename(run)
    return True


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


def _write_tar(path: Path, contents: Mapping[str, bytes]) -> None:
    with whole_file(path) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in contents.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
