"""The work of `raysed demo --check`: one trial of the demo is trained again, and its digits are compared.

Another kind of processor rounds in another way, so the digits of the README are those of one machine; that a machine
repeats its own is what a resumed run and a seed rely on.
"""

import tempfile

import numpy as np
import torch

from raysed.config.space import read_space
from raysed.data.features.store import open_dataset
from raysed.demo.run_demo import DEMO_SPACE
from raysed.exit_codes import CHECK_FAILED, DONE
from raysed.pulse import Pulse
from raysed.run.folders import TrialFolder, scores_file
from raysed.run.run_plan import RunPlan
from raysed.run.trial_plan import TrialPlan, plan_trials
from raysed.storage.folder import Folder
from raysed.storage.node_cache import cache_dir
from raysed.training.scoring import decode_scores
from raysed.training.train import train
from raysed.tune.run_space import say_to_stderr


def check_digits(run: str | None) -> int:
    """Train the first finished trial of a demo again, as the demo does but alone; return 0 where all its scores are the
    same to the last bit, else 1.

    Raises ValueError where no trial of the demo is finished.
    """
    resolved = read_space(DEMO_SPACE)
    folder = Folder(run or resolved.space.run)
    finished = [trial for trial in plan_trials(resolved, folder) if trial.out.finished]
    if not finished:
        raise ValueError(f"{folder.url}: no trial of the demo is finished; run `raysed demo` first")
    first = finished[0]
    urls = {about.name: about.url for about in RunPlan.require(folder).datasets}
    torch.set_num_threads(resolved.space.resources.cpus_per_worker)
    with (
        tempfile.TemporaryDirectory(prefix="raysed-check-") as place,
        Pulse(say_to_stderr) as pulse,
    ):
        pulse(f"training {first.label} of {folder.url} again (a minute or two)")
        pulse.now(f"training {first.label} again")
        trial = first.training.trial
        sets = {name: open_dataset(str(urls[name]), cache_dir()) for name in trial.set_names()}
        again = Folder(place)
        train(trial, sets, again, seed=first.seed)
        worst = max(_differences(first, TrialFolder(again)))
    return _told(first, worst)


def _differences(first: TrialPlan, again: TrialFolder) -> list[float]:
    """Return the largest difference of the scores on each set that both were scored on."""
    found, data = [], first.training.trial.data
    for xvalid in data.xvalid:
        for evaluation in data.evaluation:
            name = scores_file(evaluation, xvalid)
            both = [folder.folder.read(name) for folder in (first.out, again)]
            scores = [decode_scores(each or b"", name).scores_NUK for each in both]
            found.append(float(np.abs(np.subtract(*(s.astype(np.float64) for s in scores))).max()))
    return found


def _told(first: TrialPlan, worst: float) -> int:
    if worst == 0:
        print(
            f"{first.label}: this machine repeats its own digits: all scores are the same to the last bit"
        )
        return DONE
    print(
        f"{first.label}: this machine does NOT repeat its own digits: scores differ by up to {worst:.1e}. Was the demo run"
        " with other packages, or on another machine? `raysed demo --run NEW` makes a demo to check with"
    )
    return CHECK_FAILED
