"""SHA-256 hashes of files that people give: one file, or the tables of a folder."""

import hashlib
from pathlib import Path


def file_hashes(path: Path) -> dict[str, str]:
    """Return the SHA-256 of a file by its name, or of each TSV of a folder and its sub-folders by relative name;
    hidden ones are passed over.
    """
    if not path.is_dir():
        return {path.name: _sha256(path)}
    found = sorted(path.rglob("*.tsv"))
    named = {file.relative_to(path).as_posix(): file for file in found if file.is_file()}
    return {name: _sha256(file) for name, file in named.items() if not f"/{name}".count("/.")}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
