"""The files of a run: their names stand here and nowhere else.

RUN/space.yaml  plan.json  status.json  made_by.json  looks.json  driver.lock  groups.tsv
    results.parquet  tables/  report.html  figures/
    trials/<training>-seed<N>/      a TrialFolder
    external/<id>/<set>.npz         counts of a system that is not trained here; the id is the hash of its predictions
"""

import json
from typing import Any

from raysed.run.stored_file import Stored, read_stored
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json, write_json

SPACE = "space.yaml"
PLAN = "plan.json"
STATUS = "status.json"
MADE_BY = "made_by.json"
LOOKS = "looks.json"
LOCK = "driver.lock"
MLFLOW = "mlflow.db"
"""MLflow's runs, where the space names that tracker; W&B names its files itself, under RUN/wandb."""
GROUPS = "groups.tsv"
"""A copy of the file of groups that the space names, if it does."""
RESULTS = "results.parquet"
TABLES = "tables"
PAGE = "report.html"
FIGURES = "figures"
TRIALS = "trials"

NOT_TRAINED = "not trained: x-valid F1 was 0 after every epoch"
"""The words for a trial of which no epoch could be chosen; its values say nothing of what it was to show."""

LAST = "checkpoints/last.pt"
"""The training state of a trial that is not finished, from which it goes on."""
LOG = "log.txt"
RESULT = "result.json"
"""The last file of a trial: where it stands, the trial is finished."""
_CONFIG = "config.json"
_PROGRESS, _FAILED, _STOPPED = "progress.jsonl", "failed.json", "stopped.json"
_TRACKED = "tracked.json"


def best_checkpoint(xvalid: str) -> str:
    """Return the name of the checkpoint that an x-valid set selected."""
    return f"checkpoints/best-{xvalid}.pt"


def tuned_checkpoint(xvalid: str) -> str:
    """Return the name of that checkpoint with tuned post-processing."""
    return f"checkpoints/tuned-{xvalid}.pt"


def scores_file(evaluation: str, xvalid: str, network: str = "") -> str:
    """Return the name of the frame scores of a set; `network` is empty for the selected one."""
    return f"scores/{_stem(evaluation, xvalid, network)}.arrow"


def statistics_file(evaluation: str, xvalid: str, system: str = "") -> str:
    """Return the name of the per-clip counts of a set.

    `system` is empty for the selected network, else the other network or a baseline.
    """
    return f"statistics/{_stem(evaluation, xvalid, system)}.npz"


def fitted(name: str) -> str:
    """Return the system that a post-processing would be had it been tuned on the very clips: no result."""
    return f"{name}-fitted"


def postprocessing_file(evaluation: str, xvalid: str, name: str) -> str:
    """Return the name of what a post-processing chose for a set; `name` is that of CellPostProcessing."""
    return f"postprocessing/{_stem(evaluation, xvalid, name)}.json"


def _stem(evaluation: str, xvalid: str, system: str) -> str:
    return f"{evaluation}.{xvalid}" + (f".{system}" if system else "")


def external_file(id: str, evaluation: str) -> str:
    """Return the name of the per-clip counts of a system from elsewhere on a set, in the run's folder."""
    return f"{external_folder(id)}/{evaluation}.npz"


def external_folder(id: str) -> str:
    """Return the name of the folder of a system from elsewhere."""
    return f"external/{id}"


def trial_name(training: str, seed: int) -> str:
    """Return the name of a trial, which is also that of its folder: `<training>-seed<N>`."""
    return f"{training}-seed{seed}"


class SelectedEpoch(Stored):
    """The epoch that an x-valid set selected, and the event F1 there, a fraction."""

    epoch: int
    xvalid_f1: float
    score: float | None = None
    """The value that the selection rule compared."""

    @property
    def is_untrained(self) -> bool:
        """Tell whether no epoch had an event right on the x-valid set, so that there was nothing to choose by."""
        return max(self.xvalid_f1, self.score or 0.0) == 0


class Energy(Stored):
    """The energy of a part of a trial, None where it was not measured."""

    on_gpu: bool = False
    gpu_kwh: float | None = None
    cpu_kwh: float | None = None

    @property
    def kwh(self) -> float | None:
        """The sum of what was measured; None for a trial on a GPU that was not."""
        parts = [kwh for kwh in (self.gpu_kwh, self.cpu_kwh) if kwh is not None]
        return None if not parts or (self.on_gpu and self.gpu_kwh is None) else sum(parts)

    @property
    def counted(self) -> str:
        """The counters behind it: `GPU and CPU`, `GPU`, `CPU`, or empty."""
        parts = {"GPU": self.gpu_kwh, "CPU": self.cpu_kwh}
        return " and ".join(kind for kind, kwh in parts.items() if kwh is not None)


class TrialResult(Stored):
    """The content of `result.json`: a trial is finished where it stands."""

    selected: dict[str, SelectedEpoch]
    """By x-valid set."""
    epochs: int | None = None
    world: int = 1
    train_seconds: float
    evaluation_seconds: float | None = None
    loss_first: float
    loss_last: float
    training_energy: Energy = Energy()
    """That of all ranks and epochs, x-valid included."""
    evaluation_energy: Energy = Energy()
    macs_10s: int | None = None
    """MACs of a forward pass for 10 s of audio."""


class Failure(Stored):
    """The content of `failed.json`: why a trial's last attempt ended."""

    reason: str
    traceback: str = ""
    own: bool = False
    """True where it fails the same way whenever it is tried: a diverged loss, a fault of its configuration or data."""


class TrialFolder:
    """The folder of one training with one seed: what is stored of it, read and written by name.

    config.json  progress.jsonl  log.txt  tensorboard/  tracked.json  checkpoints/{last,best-<x-valid>,tuned-<x-valid>}.pt
    scores/<set>.<x-valid>[.teacher].arrow  statistics/<set>.<x-valid>[.teacher|.<baseline>|.<post-processing>[-fitted]].npz
    postprocessing/<set>.<x-valid>.<post-processing>.json
    result.json, or failed.json, or stopped.json

    Readers return None for what is not there and raise ValueError, naming file and key, for what is
    damaged.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    @classmethod
    def of(cls, run: Folder, training: str, seed: int) -> "TrialFolder":
        """Return the folder of a trial of a run; nothing is created."""
        return cls(run.child(f"{TRIALS}/{trial_name(training, seed)}"))

    @property
    def url(self) -> str:
        """The URL or local path of the folder."""
        return self.folder.url

    @property
    def tensorboard(self) -> str | None:
        """The local path of its TensorBoard curves; None on a remote file system."""
        return f"{self.url}/tensorboard" if self.folder.is_local else None

    @property
    def begun(self) -> bool:
        """True once a process has begun to train it."""
        return self.folder.read(_CONFIG) is not None

    @property
    def finished(self) -> bool:
        """True once its result is stored."""
        return self.folder.read(RESULT) is not None

    def config(self) -> dict[str, Any] | None:
        """Read what the folder belongs to (raysed.run.identity)."""
        return _object(self.folder, _CONFIG)

    def write_config(self, content: dict[str, Any]) -> None:
        """Write down what the folder belongs to."""
        write_json(self.folder, _CONFIG, content)

    @property
    def config_path(self) -> str:
        """The path that `config` is read from, for messages."""
        return f"{self.url}/{_CONFIG}"

    def result(self) -> TrialResult | None:
        """Read the result of a finished trial."""
        return read_stored(self.folder, RESULT, TrialResult)

    def result_as_json(self) -> dict[str, Any] | None:
        """Read the result as it was written."""
        return _object(self.folder, RESULT)

    def write_result(self, content: dict[str, Any]) -> None:
        """Write the result, the last file of a trial."""
        write_json(self.folder, RESULT, content)

    def epochs(self) -> list[dict[str, Any]]:
        """Read the metrics of every epoch behind it; an empty list before the first."""
        content = self.folder.read(_PROGRESS) or b""
        lines = content.decode(errors="replace").splitlines()
        return [self._epoch(n, line) for n, line in enumerate(lines, 1) if line.strip()]

    def _epoch(self, number: int, line: str) -> dict[str, Any]:
        where = f"{self.url}/{_PROGRESS}, line {number}"
        try:
            metrics = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{where}: not JSON ({error})") from error
        if not isinstance(metrics, dict) or not isinstance(metrics.get("epoch"), int):
            raise ValueError(f"{where}: expected an object with an integer `epoch`, given {line}")
        return metrics

    def write_epochs(self, epochs: list[dict[str, Any]]) -> None:
        """Write the metrics of every epoch so far."""
        self.folder.write(_PROGRESS, "".join(json.dumps(each) + "\n" for each in epochs).encode())

    def log(self) -> str:
        """Read its log; empty where there is none."""
        return (self.folder.read(LOG) or b"").decode(errors="replace")

    def failure(self) -> Failure | None:
        """Read why its last attempt failed."""
        return read_stored(self.folder, _FAILED, Failure)

    def note_failure(self, reason: str, **about: str | bool) -> None:
        """Write down why an attempt failed; the next one overwrites it."""
        write_json(self.folder, _FAILED, {"reason": reason, **about})

    @property
    def stopped(self) -> bool:
        """True where a search stopped it early."""
        return self.folder.read(_STOPPED) is not None

    def tracked(self) -> dict[str, Any]:
        """Read its id in trackers, and which of them have all of it; empty where none was asked for."""
        return _object(self.folder, _TRACKED) or {}

    def note_tracked(self, content: dict[str, Any]) -> None:
        """Write down its id in trackers, and which of them have all of it."""
        write_json(self.folder, _TRACKED, content)

    def note_stopped(self, epochs: int) -> None:
        """Write down that the search stopped it after these many epochs; what it has stays."""
        write_json(self.folder, _STOPPED, {"epochs": epochs})


def _object(folder: Folder, name: str) -> dict[str, Any] | None:
    content = read_json(folder, name)
    if content is not None and not isinstance(content, dict):
        raise ValueError(f"{folder.url}/{name}: expected a JSON object, given {content!r:.80}")
    return content
