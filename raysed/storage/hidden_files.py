"""Files that operating systems and file servers leave in folders, and bins: nobody means them."""

from pathlib import PurePosixPath

_BINS = ("$RECYCLE.BIN", "System Volume Information", "__MACOSX", "@eaDir", "lost+found")
"""Other bins begin with a dot."""


def is_hidden(name: str) -> bool:
    """Tell whether a file or one of the folders in its relative name is hidden, or a bin."""
    return any(
        (part.startswith(".") and part != "..") or part in _BINS
        for part in PurePosixPath(name).parts
    )
