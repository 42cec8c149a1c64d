"""The interface of an encoder, and the rows of whole clips: row r is about the time from r to r + 1 hops.

An encoder says which sample its first row is centred on. Clips are given silence before and after them so that the
middle of what row r hears is (r + 1/2) hops after the clip's beginning; longer clips than an encoder takes are cut
into windows that overlap by half, of which each gives its inner rows. B waveforms, T samples, R rows, E values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

_BATCH_SECONDS = 80.0
"""Seconds of audio at a time: 8 clips of DESED."""


class FrameEncoder(Protocol):
    """A pretrained network with its front end."""

    sample_rate_hz: int
    hop: int
    """Samples from one row to the next."""
    span: int
    """Samples that one row needs: T samples give (T - span) // hop + 1 rows or more."""
    centre: int
    """The sample in the middle of what the first row hears."""
    window: int | None
    """The most samples of an input; None where there is no limit."""
    fixed: bool
    """True where every input must be as long as the window."""
    width: int
    """E."""
    licence: str

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        """Return the rows (B, R, E) float32 of float32 waveforms within -1 to 1."""
        ...


@dataclass(frozen=True)
class Piece:
    """An input of the encoder: rows `skip` to `skip + keep` of it become rows `first` on of clip `clip`.

    It begins `start` samples after the clip; what lies outside of the clip is silence.
    """

    clip: int
    first: int
    skip: int
    keep: int
    start: int
    samples: int


def row_count(n_samples: int, encoder: FrameEncoder) -> int:
    """Return the rows of a clip of `n_samples` at the encoder's rate."""
    return max(1, -(-n_samples // encoder.hop))


def embed(encoder: FrameEncoder, waveforms: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the rows (R, E) float32 of waveforms at the encoder's rate. Raises ValueError for rows that are too few
    or not finite.
    """
    found = [
        np.empty((row_count(len(each), encoder), encoder.width), np.float32) for each in waveforms
    ]
    for group in pieces_of(encoder, [len(each) for each in waveforms]):
        inputs_BT = np.stack([_cut(waveforms[piece.clip], piece) for piece in group])
        rows_BRE = encoder(inputs_BT)
        for piece, rows_RE in zip(group, rows_BRE, strict=True):
            kept_RE = rows_RE[piece.skip : piece.skip + piece.keep]
            if kept_RE.shape != (piece.keep, encoder.width):
                raise ValueError(
                    f"the encoder gave rows of shape {rows_RE.shape} for {piece.samples} samples, expected at least"
                    f" {piece.skip + piece.keep} rows of {encoder.width}: are hop and span right?"
                )
            found[piece.clip][piece.first : piece.first + piece.keep] = kept_RE
    if not all(np.isfinite(rows_RE).all() for rows_RE in found):
        raise ValueError("the encoder gave values that are not numbers (NaN or infinity)")
    return found


def pieces_of(encoder: FrameEncoder, lengths: Sequence[int]) -> Iterator[list[Piece]]:
    """Yield the inputs that clips of these lengths are cut into, those of one length together."""
    before, extra = _shift(encoder)
    pieces = [
        replace(piece, start=piece.start - before)
        for n, length in enumerate(lengths)
        for piece in _pieces(n, length, encoder, extra)
    ]
    pieces.sort(key=lambda piece: piece.samples)
    yield from _groups(pieces, encoder.sample_rate_hz)


def _shift(encoder: FrameEncoder) -> tuple[int, int]:
    """Return the samples of silence before a clip, and the rows that are dropped at its beginning."""
    early = encoder.hop // 2 - encoder.centre
    extra = max(0, -(-early // encoder.hop))
    return encoder.centre + extra * encoder.hop - encoder.hop // 2, extra


def _pieces(clip: int, n_samples: int, encoder: FrameEncoder, extra: int) -> Iterator[Piece]:
    """Yield the inputs that a clip is cut into."""
    hop, span, rows = encoder.hop, encoder.span, row_count(n_samples, encoder)
    needed = (rows + extra - 1) * hop + span
    if encoder.window is None or needed <= encoder.window:
        samples = encoder.window if encoder.fixed and encoder.window else needed
        yield Piece(clip, 0, extra, rows, 0, samples)
        return
    held = (encoder.window - span) // hop + 1
    margin, first = held // 4, 0
    while first < rows:
        # The first window begins with the clip and the last one ends with it.
        begin = max(0, min(first + extra - margin, rows + extra - held))
        skip = first + extra - begin
        last = begin + held >= rows + extra
        keep = rows - first if last else held - skip - margin
        yield Piece(clip, first, skip, keep, begin * hop, encoder.window)
        first += keep


def _groups(pieces: Sequence[Piece], rate_hz: int) -> Iterator[list[Piece]]:
    """Yield pieces of one length together, about as much audio at a time."""
    group: list[Piece] = []
    for piece in pieces:
        full = (len(group) + 1) * piece.samples > _BATCH_SECONDS * rate_hz
        if group and (full or group[0].samples != piece.samples):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _cut(waveform_T: np.ndarray, piece: Piece) -> np.ndarray:
    """Return a piece of a clip with silence around it."""
    cut_T = np.zeros(piece.samples, np.float32)
    own_T = waveform_T[max(piece.start, 0) : max(piece.start + piece.samples, 0)]
    at = max(-piece.start, 0)
    cut_T[at : at + len(own_T)] = own_T
    return cut_T
