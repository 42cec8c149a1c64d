"""What Ray Tune runs for one trial: open the features of this node, call `train`, report every epoch."""

import traceback
from typing import Any

import torch
from ray import tune

from raysed.config.reader import validate
from raysed.config.trial import Trial
from raysed.data.folder import Folder
from raysed.data.store import open_dataset
from raysed.training.files import write_json
from raysed.training.train import DivergedError, train


def run_trial(config: dict[str, Any]) -> None:
    """Train one trial to its end.

    A trial that fails for its own reasons (a configuration or data fault, a diverged loss) leaves
    `failed.json` and reports so: retrying would fail the same way. A process that dies is retried by
    Tune and goes on from the trial's own checkpoint.
    """
    job = config["job"]
    torch.set_num_threads(job["threads"])
    out = Folder(job["out"])
    device = "cuda" if job["gpus"] and torch.cuda.is_available() else "cpu"
    try:
        trial = validate(job["trial"], Trial, source=job["name"])
        sets = {name: open_dataset(url, job["cache"]) for name, url in job["sets"].items()}
        train(trial, sets, out, seed=job["seed"], device=device, report=tune.report)
    except (ValueError, DivergedError) as error:
        reason = f"{type(error).__name__}: {error}"
        write_json(out, "failed.json", {"reason": reason, "traceback": traceback.format_exc()})
        tune.report({"failed": reason})
