"""The places of the values of a cell's trial in the files of its space, by the trial's own keys, for messages."""

from raysed.config.fault import KeyPath, Places, place_of
from raysed.config.search import Search


def base_places(search: Search | None, index: int, places: Places) -> Places:
    """Return the places of the base's values, and of the x-valid set that the cell of this index or a search adds to it."""
    key = ("search",) if search else ("cells", index, "xvalid")
    placed = {(): place_of(("base",), places), ("data", "xvalid"): place_of(key, places)}
    return placed | _below(("base",), places)


def cell_places(search: Search | None, index: int, id: str, places: Places) -> Places:
    """Return the places of the values of a cell's trial: in the cell where it sets them, else in the base."""
    placed = _below(("base",), places)
    if search:
        placed[()] = place_of(("search",), places)
        for key in search.parameters:
            placed[tuple(key.split("."))] = place_of(("search", "parameters", key), places)
    else:
        placed[()] = place_of(("cells", index), places)
        placed["data", "xvalid"] = place_of(("cells", index, "xvalid"), places)
    return placed | _below(("cells", index, "set"), places) | _below(("change", id), places)


def _below(prefix: KeyPath, places: Places) -> Places:
    """Return the places of the keys under `prefix`, with the prefix taken off."""
    start = len(prefix)
    return {
        key[start:]: place
        for key, place in places.items()
        if key[:start] == prefix and len(key) > start
    }
