"""Score files in their plainest form, read by a kernel: several times as fast as by Arrow.

Plainest is what programs write: a header, then in every line as many decimal numbers as the header has names, of at most
15 digits that count. Such a number is a whole number over a power of ten, both exact in float64, so that one division
gives the float64 nearest to the text. Whatever else a file holds is left to `raysed.storage.plain_table`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numba import njit

from raysed.storage.plain_table import plain_header
from raysed.storage.tab_separated import LONGEST_FIELD

WHOLE, TENS = 10**15, 22
"""Whole numbers below this, and powers of ten up to this, are exact in float64."""
_SURE = 18
"""So many digits surely fit an int64."""
_TAB, _BREAK, _MINUS, _PLUS, _POINT, _ZERO = (ord(sign) for sign in "\t\n-+.0")
_TEN_P = 10.0 ** np.arange(TENS + 1)


def plain_frames(path: Path, names: Sequence[str]) -> np.ndarray | None:
    """Return the columns `names` of a table of numbers, float64 (T, names), None where it is not of the plainest form or
    its columns are not these.
    """
    content = path.read_bytes()
    first = content.find(b"\n") + 1
    columns = plain_header(content[:first]) or []
    if len(columns) != len(names) or {*columns} != {*names} or first > LONGEST_FIELD:
        return None
    place_of = {name: place for place, name in enumerate(names)}
    place_C = np.array([place_of[name] for name in columns], np.int64)
    rows = content if content.endswith(b"\n") else content + b"\n"
    found_TC = np.empty((rows.count(b"\n") - 1, len(names)))
    whole = _fill(np.frombuffer(rows, np.uint8)[first:], place_C, _TEN_P, found_TC)
    return found_TC if whole and len(found_TC) else None


@njit(cache=True, nogil=True)
def _fill(
    content: np.ndarray, place_C: np.ndarray, ten_P: np.ndarray, found_TC: np.ndarray
) -> bool:
    """Fill in the numbers of each line; return False where one is not as it should be."""
    row, column, line = 0, 0, 0
    first, point, digits, simple = 0, -1, np.int64(0), True
    for at in range(content.size):
        sign = content[at]
        digit = np.int64(sign) - _ZERO
        if 0 <= digit <= 9:
            digits = 10 * digits + digit
        elif sign == _POINT and point < 0:
            point = at
        elif sign in (_TAB, _BREAK):
            if simple:
                number = _unsigned(digits, (first, point, at), np.int64(0), ten_P)
            else:
                number = _signed(content[first:at], ten_P)
            last = column + 1 == place_C.size
            if np.isnan(number) or last != (sign == _BREAK) or at - line >= LONGEST_FIELD:
                return False
            found_TC[row, place_C[column]] = number
            column += 1
            if last:
                row, column, line = row + 1, 0, at + 1
            first, point, digits, simple = at + 1, -1, np.int64(0), True
        else:
            simple = False
    return True


@njit(cache=True, nogil=True, inline="always")
def _unsigned(
    digits: np.int64, places: tuple[int, int, int], power: np.int64, ten_P: np.ndarray
) -> float:
    """Return the number of so many digits that has its first sign, point (-1: none) and end at these places; NaN where it
    is no number of the plain form.
    """
    first, point, end = places
    n_before, n_behind = end - first, 0
    if point >= 0:
        n_before, n_behind = point - first, end - point - 1
        if n_behind == 0:
            return np.nan
    power -= n_behind
    if n_before == 0 or n_before + n_behind > _SURE or digits >= WHOLE or abs(power) > TENS:
        return np.nan
    return digits / ten_P[-power] if power <= 0 else digits * ten_P[power]


@njit(cache=True, nogil=True)
def _signed(text: np.ndarray, ten_P: np.ndarray) -> float:
    """Return the number that a text is, which may have a sign and an exponent; NaN where it is none of the plain form."""
    negative = text.size > 0 and text[0] == _MINUS
    first, point, digits = int(negative), -1, np.int64(0)
    end = first
    while end < text.size:
        digit = np.int64(text[end]) - _ZERO
        if 0 <= digit <= 9:
            digits = 10 * digits + digit
        elif text[end] == _POINT and point < 0:
            point = end
        else:
            break
        end += 1
    power = np.int64(0)
    if end < text.size:
        if text[end] | 32 != ord("e"):
            return np.nan
        at = end + 1
        falls = at < text.size and text[at] == _MINUS
        at += falls or (at < text.size and text[at] == _PLUS)
        if not 0 < text.size - at <= 3:
            return np.nan
        for place in range(at, text.size):
            digit = np.int64(text[place]) - _ZERO
            if not 0 <= digit <= 9:
                return np.nan
            power = 10 * power + digit
        power = -power if falls else power
    number = _unsigned(digits, (first, point, end), power, ten_P)
    return -number if negative else number
