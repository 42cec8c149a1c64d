"""The part of a set's configuration that its id and its files hold, and the encoder that they name."""

from typing import Any

from raysed.config.annotated_set import LOCATIONS, AnnotatedSet
from raysed.config.data_job import DataJob, DataSet
from raysed.data.encoders.opening import FoundEncoder, find_encoder

_LATER = {"synthetic": {"annotates", "part", "split_seed"}}
"""Keys that came after the first data sets; at their defaults they are not stored: the bytes stay as they were."""


def set_identity(data_set: DataSet) -> dict[str, Any]:
    """Return what of a set's configuration is part of its identity: all that is no default, no place and no name of
    an encoder, whose content counts instead.
    """
    return {
        key: value for key, value in data_set.identity().items() if not _is_left_out(data_set, key)
    }


def set_as_stored(data_set: DataSet) -> dict[str, Any]:
    """Return the set's configuration as its files keep it: in full, without places; its encoder is kept beside it."""
    dumped = data_set.model_dump(mode="json")
    for key in _LATER.get(data_set.kind, {"annotates"}) - data_set.identity().keys():
        del dumped[key]
    return {key: value for key, value in dumped.items() if not _is_left_out(data_set, key)}


def _is_left_out(data_set: DataSet, key: str) -> bool:
    is_place = isinstance(data_set, AnnotatedSet) and key in LOCATIONS
    return is_place or key == "embeddings"


def encoder_of(job: DataJob, name: str) -> FoundEncoder | None:
    """Return the encoder of a set. Raises ValueError where it cannot be opened."""
    embeddings = job.sets[name].embeddings
    if embeddings is None:
        return None
    try:
        return find_encoder(job.encoders[embeddings.encoder], embeddings.layers)
    except ValueError as error:
        raise ValueError(f"encoders.{embeddings.encoder}: {error}") from error
