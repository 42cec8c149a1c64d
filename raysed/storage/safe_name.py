"""Names that come out of files, before they become paths."""

from pathlib import PurePosixPath


def name_fault(name: str) -> str:
    """Return what keeps a name from being joined to a folder, in words that follow it; empty where nothing does.

    A name may lie in folders of its own (`day1/take.wav`), but not outside the folder that it is joined to, and holds
    nothing that would break a line of a table.
    """
    path = PurePosixPath(name)
    if not name.strip():
        return "is empty"
    if not name.isprintable() and any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "holds a tab, a line break or another control character"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "is not UTF-8 text"
    if leaves_folder(name):
        return "leaves its folder"
    return "" if path.parts else "is a folder, not a file"


def leaves_folder(name: str) -> bool:
    """Tell whether a name, joined to a folder, is outside it."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name


def utf8_name(name: str, folder: str) -> str:
    """Return the name of a file of a folder, which a list is to hold; raises ValueError for one that no text file can name."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{folder}: the name {name!r} is not UTF-8 text; rename the file (the program convmv does a whole folder)"
        ) from error
    return name


def safe_name(name: str) -> str:
    """Return a name that can be joined to a folder; raises ValueError for any other."""
    if fault := name_fault(name):
        raise ValueError(f"the name {name!r} {fault}")
    return name


def safe_file_name(name: str) -> str:
    """Return the name of one file or folder, without folders above it; raises ValueError for any other."""
    if "/" in safe_name(name):
        raise ValueError(f"the name {name!r} lies in a folder of its own; expected a file's name")
    return name
