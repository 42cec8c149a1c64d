"""Names of files that nobody means."""

import pytest

from raysed.storage.hidden_files import is_hidden


@pytest.mark.parametrize(
    "name", [".a.wav", "._a.wav", "a/.b/c.wav", "__MACOSX/c.wav", "a/$RECYCLE.BIN/c", "@eaDir"]
)
def test_hidden(name: str) -> None:
    assert is_hidden(name)


@pytest.mark.parametrize(
    "name", ["a.wav", "a.b/c.d.wav", "lost/found.wav", "../a.wav", "./a.wav", "", "a_.wav"]
)
def test_not_hidden(name: str) -> None:
    assert not is_hidden(name)
