"""The base of every configuration model: frozen, closed to unknown keys, and identified by what differs from
the defaults.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

# Names become folder and file names (`<evaluation set>.<x-valid set>.npz`), hence no dot, slash or space.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=100)]

_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_LONGEST_LINE = 200

LARGEST_SEED = 2**32 - 1


def checked_line(text: str) -> str:
    """Return a text that tables, TSVs and pages show in one line; raises ValueError for any other."""
    if not text.strip():
        raise ValueError(f"a text is expected, given {text!r}")
    if _NOT_IN_A_LINE.search(text):
        raise ValueError(f"{text!r} holds a tab, a line break or a control character")
    if text != text.strip():
        raise ValueError(f"{text!r} begins or ends with a space")
    if len(text) > _LONGEST_LINE:
        raise ValueError(f"{text[:20]!r}... has {len(text)} characters, more than {_LONGEST_LINE}")
    return text


Line = Annotated[str, AfterValidator(checked_line)]
"""A text that tables, TSVs and pages show in one line: a class, a table, a column."""


def twins(names: Iterable[str]) -> list[str]:
    """Return the names that are one name to file systems that ignore case, `Main` and `main`."""
    names = list(names)
    count = Counter(name.casefold() for name in names)
    return [name for name in names if count[name.casefold()] > 1]


class Config(BaseModel):
    """A frozen model that refuses unknown keys and silent type coercion."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    def identity(self) -> dict[str, Any]:
        """Return only the values that differ from the defaults, so that a new field with a default renames
        nothing.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


def content_hash(content: Any, length: int = 12) -> str:
    """Return the first `length` hex digits of the SHA-256 of `content` as canonical JSON."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:length]
