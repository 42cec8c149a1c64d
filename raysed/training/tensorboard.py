"""A trial's epochs as TensorBoard curves, where its folder is a local one."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from tensorboardX import SummaryWriter

from raysed.run.folders import TrialFolder
from raysed.storage.folder import Folder


def scalars(metrics: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the numbers of one epoch by name; a dict gives one for each key: `xvalid_f1/dry`."""
    for name, value in metrics.items():
        for key, number in value.items() if isinstance(value, dict) else [("", value)]:
            yield f"{name}/{key}".rstrip("/"), number


class TensorBoard:
    """Writes one point per epoch and metric; a resumed trial replaces what came after its checkpoint."""

    def __init__(self, out: Folder | None, epoch: int) -> None:
        self.writer = None
        if out is not None and (curves := TrialFolder(out).tensorboard):
            self.writer = SummaryWriter(curves, purge_step=epoch)

    def write(self, metrics: dict[str, Any]) -> None:
        """Write the `metrics` of one epoch; dicts become one curve per key."""
        if self.writer is None:
            return
        for name, number in scalars(metrics):
            self.writer.add_scalar(name, number, metrics["epoch"])
        self.writer.flush()

    def __enter__(self) -> "TensorBoard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.writer is not None:
            self.writer.close()
