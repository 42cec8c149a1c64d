"""The progress of a build on standard error: a bar on a terminal, a line every ten seconds in a log, also while
shards take longer.
"""

import sys
import time
from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from raysed.beat import Beat

LOG_EVERY_S = 10.0


class BuildProgress:
    """Counts clips tried, shards finished and clips quarantined; a context manager."""

    def __init__(self, clips: int, shards: int) -> None:
        self._clips, self._shards = clips, shards
        self._clips_done = self._shards_done = self._quarantined = 0
        self._started = self._logged = time.monotonic()
        self._bar = Progress(
            TextColumn("data"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=clips)
        self._beat = Beat(1.0, self.log, "raysed-build")

    def __enter__(self) -> "BuildProgress":
        self._bar.start()
        if self._clips and not sys.stderr.isatty():
            self._beat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        self._beat.stop()

    def shard_done(self, clips: int, quarantined: int) -> None:
        """Count a shard that has been added to its manifest."""
        self._clips_done += clips
        self._shards_done += 1
        self._quarantined += quarantined
        self._bar.update(self._task, completed=self._clips_done, description=self._text())
        if not sys.stderr.isatty():
            self.log(is_last=self._shards_done == self._shards)

    def log(self, *, is_last: bool = False) -> None:
        """Print a line with the time, where the one before is old enough or this is the last."""
        now = time.monotonic()
        if now - self._logged < LOG_EVERY_S and not is_last:
            return
        self._logged = now
        left = "?"
        if self._clips_done:
            left = f"{(self._clips - self._clips_done) / self._clips_per_s():.0f}"
        at = f"{datetime.now(UTC).astimezone():%H:%M:%S}"
        print(f"{at} data: {self._text()}, {left} s left", file=sys.stderr, flush=True)

    def _clips_per_s(self) -> float:
        return self._clips_done / max(time.monotonic() - self._started, 1e-9)

    def _text(self) -> str:
        return (
            f"{self._clips_done}/{self._clips} clips, {self._shards_done}/{self._shards} shards, "
            f"{self._clips_per_s():.1f} clips/s, {self._quarantined} quarantined"
        )
