"""A run folder that begins anew each time: beside a run's own, under a name that tells what it is."""

import shutil
from pathlib import Path

from raysed.run.folders import SPACE, STATUS
from raysed.run.lock import system_lock
from raysed.storage.folder import Folder


def begin_anew(run: Folder, why: str) -> Folder:
    """Return the folder RUN-why, emptied of the run that it held.

    Raises ValueError for a folder that holds something else, and for one that is not on this machine's disks.
    """
    folder = Folder(f"{run.url.rstrip('/')}-{why}")
    if not folder.is_local:
        raise ValueError(f"{folder.url}: --{why} needs a local folder: give one with --run")
    place = Path(folder.url)
    if place.is_dir() and any(place.iterdir()):
        if folder.read(STATUS) is None and folder.read(SPACE) is None:
            raise ValueError(
                f"{folder.url}: holds no run, and would be emptied: remove it, or give another --run"
            )
        with system_lock(folder):  # refused where another driver is at work on it
            shutil.rmtree(place)
    return folder
