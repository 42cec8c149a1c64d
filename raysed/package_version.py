"""Versions of installed packages, also of those that were unpacked without their metadata."""

import importlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def version_of(package: str) -> str:
    """Return a package's version: of its metadata, else as its module says it; "unknown" where neither does.

    Packages that are carried to a machine without network are often unpacked without metadata.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        pass
    try:
        module = importlib.import_module(package)
    except ImportError:
        return "unknown"
    # The local part (`+cu130`) tells the build; metadata has none.
    return str(getattr(module, "__version__", "unknown")).split("+")[0]
