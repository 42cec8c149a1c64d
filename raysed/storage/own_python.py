"""A class or function of the user's own by its name, `package.module:Name`: from an installed package, or from a file in or under
the working directory (`tune_spaces/nets.py` is `tune_spaces.nets:Net`).
"""

import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

_FORM = (
    "expected package.module:Name, in an installed package or in a file under the working directory"
)


def load_own(name: str) -> Any:
    """Import a class or a function by its name. Raises ValueError where there is none."""
    module, own_name = _parts(name)
    _see_the_working_directory()
    try:
        return getattr(importlib.import_module(module), own_name)
    # Whatever the user's own module raises when it is imported, they should read it beside the name.
    except Exception as error:
        raise ValueError(
            f"{name} cannot be imported ({type(error).__name__}: {error}); {_FORM}"
        ) from error


def source_file(name: str) -> Path:
    """Return the file that holds it, which is not imported. Raises ValueError where there is none."""
    module, _ = _parts(name)
    _see_the_working_directory()
    try:
        found = importlib.util.find_spec(module)
    except Exception as error:
        raise ValueError(f"{name}: {module} is not found ({error}); {_FORM}") from error
    if found is None or not found.has_location or found.origin is None:
        raise ValueError(f"{name}: {module} is not found; {_FORM}")
    return Path(found.origin)


def own_hash(name: str) -> str:
    """Return the first 12 hex digits of the SHA-256 of the file that holds it, without what that imports."""
    return hashlib.sha256(source_file(name).read_bytes()).hexdigest()[:12]


def _parts(name: str) -> tuple[str, str]:
    module, _, own_name = name.partition(":")
    words = [*module.split("."), own_name]
    if not all(word.isidentifier() for word in words):
        raise ValueError(f"{name} names no class or function; {_FORM}")
    return module, own_name


def _see_the_working_directory() -> None:
    """Let modules of the working directory be found, after installed ones, as `python -m` finds them."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()
