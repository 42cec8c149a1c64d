"""What a build shows: a line now and then in a log, a bar on a terminal."""

import io
import re
import sys
from types import SimpleNamespace

import pytest

from raysed.data.build import build_progress
from raysed.data.build.build_progress import BuildProgress


class Clock:
    """Monotonic seconds that tests set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr(build_progress, "time", SimpleNamespace(monotonic=lambda: self.now_s))


def test_a_log_gets_a_line_every_ten_seconds_and_one_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch)
    with BuildProgress(clips=100, shards=5) as progress:
        for after_s, quarantined in ((4, 0), (10, 1), (16, 0), (19.9, 2), (20, 0)):
            clock.now_s = 100 + after_s
            progress.shard_done(20, quarantined)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert all(re.match(r"\d\d:\d\d:\d\d data: ", line) for line in captured.err.splitlines())
    assert [line[9:] for line in captured.err.splitlines()] == [
        "data: 40/100 clips, 2/5 shards, 4.0 clips/s, 1 quarantined, 15 s left",
        # The last shard is told though the line before it is not ten seconds old.
        "data: 100/100 clips, 5/5 shards, 5.0 clips/s, 3 quarantined, 0 s left",
    ]


def test_a_line_comes_also_while_a_shard_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch)
    progress = BuildProgress(clips=100, shards=5)
    clock.now_s = 109.9
    progress.log()
    clock.now_s = 110.0
    progress.log()
    assert [line[9:] for line in capsys.readouterr().err.splitlines()] == [
        "data: 0/100 clips, 0/5 shards, 0.0 clips/s, 0 quarantined, ? s left"
    ]


def test_a_shard_in_no_time_divides_by_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Clock(monkeypatch)
    with BuildProgress(clips=2, shards=1) as progress:
        progress.shard_done(2, 0)
    assert capsys.readouterr().err.endswith(" 0 quarantined, 0 s left\n")


def test_a_terminal_gets_the_bar_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with BuildProgress(clips=4, shards=2) as progress:
        progress.shard_done(2, 1)
        progress.shard_done(2, 0)
    shown = terminal.getvalue()
    assert "4/4 clips, 2/2 shards" in shown and "1 quarantined" in shown
    assert "s left" not in shown
