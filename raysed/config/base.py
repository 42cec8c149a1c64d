"""The base of every configuration model: frozen, closed to unknown keys, and identified by what differs from
the defaults.
"""

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

# Names become folder and file names (`<evaluation set>.<x-valid set>.npz`), hence no dot, slash or space.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


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
