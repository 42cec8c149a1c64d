"""Frame scores written as files, for what reads them."""

from pathlib import Path

import pandas as pd

from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import FrameScores
from raysed.evaluation.detections.score_files import ScoreFiles


def files_of(folder: Path, reference: Reference, scores: FrameScores) -> ScoreFiles:
    """Write one file a clip and return them all; the texts of the scores are exact."""
    paths = []
    for n, name in enumerate(reference.filenames):
        edge_T1 = scores.edges_NT1[n]
        frame = pd.DataFrame(scores.scores_NTK[n], columns=list(reference.classes))
        frame.insert(0, "onset", edge_T1[:-1])
        frame.insert(1, "offset", edge_T1[1:])
        paths.append(folder / f"{Path(name).stem}.tsv")
        frame[frame["offset"] > frame["onset"]].to_csv(paths[-1], sep="\t", index=False)
    own = tuple((k,) for k in range(len(reference.classes)))
    return ScoreFiles(tuple(paths), reference.classes, own)
