import sys

import pytest

from raysed.cli import entry


@pytest.fixture
def main(monkeypatch, capsys):
    """Runs `raysed`, or one command of it as a program, in this process; returns exit code, output and messages."""

    def call(*arguments, program=entry.main):
        monkeypatch.setattr(sys, "argv", ["raysed", *arguments])
        monkeypatch.setenv("COLUMNS", "80")
        with pytest.raises(SystemExit) as stopped:
            program()
        shown = capsys.readouterr()
        return stopped.value.code, shown.out, shown.err

    return call
