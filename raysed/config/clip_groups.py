"""The file of groups that a space names: whether it is there; what it holds is read before work, with the data sets."""

from pathlib import Path

from raysed.config.fault import Fault, Places


def absent_groups(path: str | None, places: Places, unset: list[Fault] | None) -> list[str]:
    """Return why the file cannot be read, if so. A plan can be made without it, a run cannot: where the list `unset` is
    given the fault is added to it, and nothing is returned.
    """
    if path is None or Path(path).is_file():
        return []
    what = "a folder" if Path(path).is_dir() else "no such file (relative to the working directory)"
    fault = Fault(
        ("groups",),
        f"groups: {path}: {what}; expected a TSV with the columns filename and group, or leave the key out: intervals"
        " then draw clips",
    ).at(places)
    if unset is None:
        return [str(fault)]
    unset.append(fault)
    return []
