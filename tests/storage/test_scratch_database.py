"""Lists on disk leave nothing behind, and a full disk is told as one."""

import errno
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from raysed.storage.scratch_database import ScratchDatabase

TABLE = "CREATE TABLE name (name TEXT, size INTEGER)"


def test_rows_come_back_in_the_order_of_texts() -> None:
    names = ["b", "a/x", "a-b", "é", "Z", "\N{GRINNING FACE}", "\N{FULLWIDTH LATIN SMALL LETTER A}"]
    found = ScratchDatabase(TABLE)
    found.add("name", ((name, 2**40 + n) for n, name in enumerate(names)))
    assert [name for name, _ in found.rows("SELECT * FROM name ORDER BY name")] == sorted(names)
    assert found.value("SELECT size FROM name WHERE name = ?", "é") == 2**40 + 3


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        ScratchDatabase(TABLE).add("name", [("\udcff.wav", 1)])


def test_a_full_disk_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", "/there")
    found = ScratchDatabase(TABLE)
    found.run("PRAGMA max_page_count = 20")
    with pytest.raises(OSError, match="No space left") as told:
        found.add("name", ((f"{n:0100d}", n) for n in range(10_000)))
    assert (told.value.errno, told.value.filename) == (errno.ENOSPC, "/there")


LONG = """
import sys
from raysed.storage.scratch_database import ScratchDatabase
found = ScratchDatabase("CREATE TABLE name (name TEXT)")
found.add("name", ((f"{n:0200d}",) for n in range(60_000)))
print("there", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "SQLITE_TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", LONG],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"there\n"
        held = Path(f"/proc/{process.pid}/fd")
        on_disk = [link.readlink() for link in held.iterdir()]
        assert any(str(place).startswith(str(tmp_path)) for place in on_disk)
        process.send_signal(signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []


def test_closed_with_its_last_user() -> None:
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    found = ScratchDatabase(TABLE)
    found.add("name", ((f"{n:0200d}", n) for n in range(100_000)))
    del found
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
