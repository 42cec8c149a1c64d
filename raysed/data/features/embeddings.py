"""The rows of an encoder as shards hold them: float16, each clip padded with zeros to as many as a full-length one has."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts

EMBEDDING, OWN_ROWS = "embedding", "embedding_rows"
"""The columns: all rows of a clip one after the other, and how many are its own."""


def encoder_in(metadata: dict[str, Any]) -> EncoderFacts | None:
    """Return the encoder of a shard's metadata, or of a manifest as a mapping; None where it stores no rows."""
    stored = metadata.get("job", {}).get("encoder")
    return None if stored is None else EncoderFacts.of(stored)


def embedding_shape(facts: EncoderFacts, features: Features) -> tuple[int, int]:
    """Return the rows of a full-length clip and the values of a row."""
    return facts.rows(features.duration_s), facts.width


def embedding_fields(facts: EncoderFacts, features: Features) -> list[tuple[str, pa.DataType]]:
    """Return the columns of a shard."""
    rows, width = embedding_shape(facts, features)
    return [(EMBEDDING, pa.list_(pa.float16(), rows * width)), (OWN_ROWS, pa.int32())]


def stored_embedding(rows_RE: np.ndarray, facts: EncoderFacts, features: Features) -> np.ndarray:
    """Return one clip's rows in float16, padded with zeros.

    float16 keeps 11 bits of each value; its error is measured in benchmarks/results/encoders.json. Raises ValueError
    for values that it does not hold.
    """
    shape = embedding_shape(facts, features)
    if len(rows_RE) > shape[0] or rows_RE.shape[1] != shape[1]:
        raise ValueError(f"embeddings of shape {rows_RE.shape}, expected at most {shape}")
    padded_RE = np.zeros(shape, np.float16)
    with np.errstate(over="ignore"):
        padded_RE[: len(rows_RE)] = rows_RE
    if not np.isfinite(padded_RE).all():
        raise ValueError(f"embeddings up to {np.abs(rows_RE).max():.3g} do not fit float16")
    return padded_RE


def embedding_columns(
    embeddings: Sequence[np.ndarray], facts: EncoderFacts, features: Features
) -> list[Any]:
    """Return the columns of clips' own rows."""
    rows, width = embedding_shape(facts, features)
    stored_NW = np.zeros((len(embeddings), rows * width), np.float16)
    for n, rows_RE in enumerate(embeddings):
        stored_NW[n] = stored_embedding(rows_RE, facts, features).ravel()
    values = pa.FixedSizeListArray.from_arrays(pa.array(stored_NW.ravel()), rows * width)
    return [values, [len(rows_RE) for rows_RE in embeddings]]


def embedding_views(table: pa.Table, facts: EncoderFacts, features: Features) -> list[np.ndarray]:
    """Return views (R, E) of the clips' rows in a mapped table."""
    shape = (-1, *embedding_shape(facts, features))
    return [
        rows_RE
        for chunk in table[EMBEDDING].chunks
        for rows_RE in chunk.flatten().to_numpy(zero_copy_only=True).reshape(shape)
    ]
