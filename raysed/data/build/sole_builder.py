"""One command at a time builds a data set."""

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from raysed.data.build.dataset_plan import DatasetPlan
from raysed.storage.file_lock import file_lock
from raysed.storage.folder import Folder


@contextmanager
def sole_builder(plans: Iterable[DatasetPlan]) -> Iterator[None]:
    """Hold the locks of the data sets; ValueError naming the process that has one already.

    The locks are files beside the sets' folders, gone at the end. Object stores have none: two builders there do
    the same work twice, with the same bytes.
    """
    with ExitStack() as held:
        for plan in plans:
            if Folder(plan.url).is_local:
                held.enter_context(_lock(Path(plan.url)))
        yield


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    path = folder.with_name(f".{folder.name}.lock")
    with ExitStack() as held:
        try:
            held.enter_context(file_lock(path, wait=False))
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}")
        except BlockingIOError as error:
            raise ValueError(
                f"{folder}: another command builds this data set now: {_holder(path)}. Wait for its end; the same"
                " command goes on then"
            ) from error
        except OSError as error:
            raise ValueError(f"{folder}: cannot be written ({error})") from error
        held.callback(path.unlink, missing_ok=True)
        yield


def _holder(path: Path) -> str:
    try:
        return path.read_text() or "a process that has just started"
    except OSError:
        return "a process that has just ended"
