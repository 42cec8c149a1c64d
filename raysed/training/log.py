"""The log of a trial, `log.txt`, in lines that a person reads; a resumed trial adds to it.

It is written whole at every line, a few times an epoch, so that it works on any file system.
"""

import platform
import socket
import traceback
from datetime import datetime
from types import TracebackType
from typing import Any

import torch

from raysed import __version__
from raysed.config.trial import Trial
from raysed.data.features.store import FeatureSet
from raysed.model.fast_block import why_plain
from raysed.run.folders import LOG
from raysed.storage.folder import Folder


class TrialLog:
    """The log of the trial in `out`; None writes nothing. As a context manager, it logs the error that ends
    the trial early.
    """

    def __init__(self, out: Folder | None) -> None:
        self.out = out
        before = out.read(LOG) if out is not None else None
        self.text = (before or b"").decode(errors="replace")

    def say(self, *lines: str) -> None:
        """Add lines, each with the time of day."""
        if self.out is None:
            return
        now = datetime.now().astimezone().isoformat(" ", "seconds")
        self.text += "".join(f"{now}  {line}\n" for line in lines)
        self.out.write(LOG, self.text.encode())

    def __enter__(self) -> "TrialLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        try:
            self.say(*"".join(traceback.format_exception(error)).rstrip().splitlines())
        except OSError as unwritten:
            # The disk may be full, which may be the error to log; that error must reach the caller.
            error.add_note(f"{LOG} could not be written: {unwritten}")


def start_lines(trial: Trial, sets: dict[str, FeatureSet], device: str, world: int) -> list[str]:
    """Return lines on the machine, the versions and the data of a trial."""
    why = why_plain(trial.model, torch.device(device))
    blocks = "convolution blocks fused" if why is None else f"convolution blocks plain ({why})"
    if own := trial.model.own:
        blocks = f"network {own.python} (source {own.source})"
    on = torch.cuda.get_device_name(device) if device.startswith("cuda") else "CPU"
    roles = {name: subset for subset, name in trial.used_subsets().items()}
    return [
        f"started on {socket.gethostname()}: {on}, threads {torch.get_num_threads()}, ranks {world}",
        f"raysed {__version__}, torch {torch.__version__}, Python {platform.python_version()}",
        f"precision {trial.precision}, {blocks}",
        *(
            f"{roles.get(name, 'scored')}: {name} ({sets[name].id}), {len(sets[name])} clips"
            for name in trial.set_names()
        ),
    ]


def epoch_line(metrics: dict[str, Any], epochs: int, best: dict[str, dict[str, Any]]) -> str:
    """Return a line with the loss and each x-valid set's F1; `best` tells which of them chose this epoch."""
    f1 = ", ".join(
        f"{name} {value:.3f}" + (" (new best)" if best[name]["epoch"] == metrics["epoch"] else "")
        for name, value in metrics["xvalid_f1"].items()
    )
    return (
        f"epoch {metrics['epoch'] + 1}/{epochs}: loss {metrics['loss']:.4f}, x-valid F1 {f1};"
        f" {metrics['clips_per_s']:.0f} clips/s, {metrics['train_s'] + metrics['xvalid_s']:.1f} s"
    )
