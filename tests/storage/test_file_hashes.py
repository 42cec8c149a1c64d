"""Hashes of a file, and of the tables of a folder."""

import hashlib
from pathlib import Path

from raysed.storage.file_hashes import file_hashes


def test_of_a_file_and_of_a_folder(tmp_path: Path) -> None:
    for name, text in {"a.tsv": "a", "b/c.tsv": "c", ".d/e.tsv": "e", "f.txt": "f"}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    of_a, of_c = (hashlib.sha256(text).hexdigest() for text in (b"a", b"c"))
    assert file_hashes(tmp_path / "a.tsv") == {"a.tsv": of_a}
    assert file_hashes(tmp_path) == {"a.tsv": of_a, "b/c.tsv": of_c}
