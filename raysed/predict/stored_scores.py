"""The frame scores of a set in a trial's folder; those that training does not keep are made once."""

from collections.abc import Callable

import torch

from raysed.data.features.store import FeatureSet
from raysed.run.folders import scores_file
from raysed.storage.folder import Folder
from raysed.training.checkpoint import Predictor
from raysed.training.network_scores import score_set
from raysed.training.scores import Scores
from raysed.training.scoring import decode_scores, encode_scores


def stored_scores(
    trial: Folder,
    used: FeatureSet,
    xvalid: str,
    predictor: Callable[[], Predictor],
    say: Callable[[str], None],
) -> Scores:
    """Return the scores of a set by the model that `xvalid` selected; they are made and stored where there are none.

    Raises ValueError for stored scores of other clips than the set's.
    """
    name = scores_file(used.name, xvalid)
    content = trial.read(name)
    if content is not None:
        scores = decode_scores(content, f"{trial.url}/{name}")
        if scores.filenames != used.filenames:
            raise ValueError(f"{trial.url}/{name}: of other clips than data set {used.name}")
        return scores
    say(f"{name}: not stored, scoring {len(used)} clips")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = predictor()
    normaliser = model.normaliser.to(device)
    scores = score_set(model.model.to(device), used, normaliser, model.trial)
    trial.write(name, encode_scores(scores))
    return scores
