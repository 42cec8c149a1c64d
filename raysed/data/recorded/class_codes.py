"""The classes that the labels of a set's files stand for."""

from collections import Counter
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from raysed.config.annotated_set import AnnotatedSet
from raysed.storage.url import masked
from raysed.text import counted

_pc: Any = compute
"""Arrow's functions are made when it is imported, where no type checker sees them."""

_SHOWN = 5


class ClassCodes:
    """The classes that labels stand for, as numbers in the order in which they are met."""

    def __init__(self, data_set: AnnotatedSet, classes: Collection[str] | None) -> None:
        """Take the classes of the job; None takes every label's."""
        self.names: list[str] = []
        self._data_set, self._classes = data_set, classes
        self._codes: dict[str, int] = {}
        self._of_label: dict[str, list[int]] = {}
        self._unknown: Counter[str] = Counter()
        """The rows of each label that is no class."""

    def of(self, labels: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Return the row and the code of each class of each label.

        A label of two classes is two rows; one that is ignored or null is one of code -1, which keeps its clip.
        """
        encoded = labels.dictionary_encode()
        given = encoded.dictionary.to_pylist()
        mapped = [self._mapped(label) for label in given]
        for label, count in zip(given, self._counts(encoded.indices, len(given)), strict=True):
            if label in self._unknown:
                self._unknown[label] += count
        codes_R = _pc.fill_null(encoded.indices, len(mapped)).to_numpy(zero_copy_only=False)
        counts = np.array([max(1, len(found)) for found in mapped] + [1])
        flat = np.array([code for found in [*mapped, []] for code in found or [-1]], np.int32)
        first = np.append(0, np.cumsum(counts))[:-1]
        counts_R = counts[codes_R]
        row_E = np.repeat(np.arange(len(labels)), counts_R)
        within_E = np.arange(len(row_E)) - np.repeat(np.cumsum(counts_R) - counts_R, counts_R)
        return row_E, flat[first[codes_R[row_E]] + within_E]

    def refuse_unknown(self, place: str) -> None:
        """Raise ValueError naming the labels so far that are no classes, with what to do."""
        if self._unknown and self._data_set.other_labels == "refuse":
            raise ValueError(
                f"{masked(place)}: labels that are no classes: {self._some_unknown()}"
                f" (classes: {', '.join(sorted(self._classes or ())[:20])}); map them with `map`, or leave them out with"
                " `other_labels: ignore`"
            )

    def ignored(self, place: str) -> tuple[str, ...]:
        """Return a line about what `other_labels: ignore` leaves out, where there is any: a class misspelt in the job or in
        its `map` would be lost in silence.
        """
        if not self._unknown:
            return ()
        rows = counted(self._unknown.total(), "row")
        return (
            f"{masked(place)}: left out of {rows}, as no class of the job: {self._some_unknown()}",
        )

    def _some_unknown(self) -> str:
        """Return the first labels with their numbers of rows."""
        shown = [f"{label} ({count})" for label, count in self._unknown.items()][:_SHOWN]
        more = f" … and {len(self._unknown) - _SHOWN} more" if len(self._unknown) > _SHOWN else ""
        return ", ".join(shown) + more

    @staticmethod
    def _counts(index_R: pa.Array, labels: int) -> list[int]:
        found_R = index_R.drop_null().to_numpy(zero_copy_only=False)
        return np.bincount(found_R, minlength=labels).tolist()

    def _mapped(self, label: str) -> list[int]:
        if label not in self._of_label:
            found = self._data_set.classes_of(label)
            if self._classes is not None:
                if any(c not in self._classes for c in found):
                    self._unknown[label] = 0
                kept = (
                    self._classes if self._data_set.annotates is None else self._data_set.annotates
                )
                found = tuple(c for c in found if c in kept)
            self._of_label[label] = [self._code(c) for c in found]
        return self._of_label[label]

    def _code(self, name: str) -> int:
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]
