"""Names of x-valid sets that a data job lacks, told together with the other faults of a space."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from raysed.config.data_job import DataJob
from raysed.config.fault import ConfigError, Places, place_of
from raysed.config.fit import unknown_xvalid
from raysed.config.reader import read_config


@contextmanager
def with_xvalid_faults(content: Any, places: Places) -> Iterator[None]:
    """Add the wrong x-valid names of a space's cells to the ConfigError that comes out of the context."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError([*error.faults, *_wrong_names(content, places)]) from error


def _wrong_names(content: Any, places: Places) -> list[str]:
    """Return the faults of the cells' names, as far as the faulty space lets them and its job be read."""
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        return []
    try:
        job = read_config(content.get("data_job", ""), DataJob, unset=[])
    except (ConfigError, OSError, TypeError):
        return []  # told by itself once the space can be read
    found = []
    for index, cell in enumerate(content["cells"]):
        xvalid = cell.get("xvalid") if isinstance(cell, dict) else None
        if isinstance(xvalid, str):
            at: Places = {(): place_of(("cells", index, "xvalid"), places)}
            found += [str(fault.at(at)) for fault in unknown_xvalid(xvalid, job)]
    return found
