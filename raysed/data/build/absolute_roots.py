"""The places of a job as they mean the same from any working directory and on any node."""

from pathlib import Path

from raysed.config.annotated_set import LOCATIONS, AnnotatedSet
from raysed.config.data_job import DataJob, Roots
from raysed.storage.files import absolute
from raysed.storage.folder import Folder
from raysed.storage.places import is_url


def with_absolute_roots(job: DataJob) -> DataJob:
    """Return the job with absolute roots, so that it means the same from any working directory."""
    roots = {key: path and _absolute_root(path) for key, path in job.roots}
    sets = {
        name: s.model_copy(
            update={key: absolute(place) for key in LOCATIONS if (place := getattr(s, key))}
        )
        if isinstance(s, AnnotatedSet)
        else s
        for name, s in job.sets.items()
    }
    encoders = {
        name: e.model_copy(update={"path": e.path and str(Path(e.path).expanduser().resolve())})
        for name, e in job.encoders.items()
    }
    return job.model_copy(update={"roots": Roots(**roots), "sets": sets, "encoders": encoders})


def _absolute_root(place: str) -> str:
    """Return a path without links, as it is seen from everywhere, and a URL without its last slash. ValueError for a URL
    that holds a password or options, which would be stored.
    """
    if is_url(place):
        return Folder(place).url.rstrip("/")
    return str(Path(place).expanduser().resolve())
