"""Folders for this user alone, also where others may make names."""

import stat
from os import getuid
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Make `path`, which its owner alone may read (mode 0700), unless it is there.

    In a folder in which everyone may make names, such as the system's temporary one, it must be this user's own
    and no link: else ValueError, as whoever made it could put files there or send ours elsewhere.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if path.parent.stat().st_mode & stat.S_IWOTH:
            _take(path)
    return path


def _take(path: Path) -> None:
    about = path.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != getuid():
        raise ValueError(
            f"{path}: is not a folder of your own, although it has the name of one: remove it, or set RAYSED_CACHE to"
            " a folder that is yours"
        )
    if about.st_mode & 0o077:
        path.chmod(0o700)
