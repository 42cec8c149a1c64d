"""The record of a post-processing of a trial's scores: their hashes, and what it chose. It is written after the counts."""

import hashlib
from typing import Any

from raysed.run.folders import postprocessing_file
from raysed.run.stored_file import Stored, read_stored
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json

FORMAT = 1
"""Rises when other settings are searched or events are counted in another way."""


class PostProcessingRecord(Stored):
    """The content of `postprocessing/<set>.<x-valid>.<name>.json`."""

    format: int
    name: str
    scores: dict[str, str]
    """SHA-256 of the scores files that it was made of, by their names."""
    tuned_on: str = ""
    """The name of that set; empty where nothing is tuned."""
    groups: str = ""
    """SHA-256 of the groups whose clips stayed in one fold, where it was cross-fitted in a run that draws groups."""

    @classmethod
    def read(
        cls, trial: Folder, evaluation: str, xvalid: str, name: str
    ) -> "PostProcessingRecord | None":
        """Read it; None where there is none. Raises ValueError, naming file and key, for a damaged one."""
        return read_stored(trial, postprocessing_file(evaluation, xvalid, name), cls)

    def write(self, trial: Folder, evaluation: str, xvalid: str, settings: dict[str, Any]) -> None:
        """Write it into the trial's folder with its settings: the choice on all clips of the set that it was tuned on,
        so that `raysed predict --postprocessing` reads the file.
        """
        write_json(
            trial,
            postprocessing_file(evaluation, xvalid, self.name),
            settings | self.model_dump(mode="json"),
        )

    def is_current(self, trial: Folder) -> bool:
        """Tell whether it was made by this code of the scores that are stored now."""
        return self.format == FORMAT and self.scores == hashes(trial, *self.scores)


def hashes(trial: Folder, *names: str) -> dict[str, str]:
    """Return the SHA-256 of files of a trial by their names; empty texts for those that are not there."""
    contents = {name: trial.read(name) for name in names}
    return {
        name: "" if content is None else hashlib.sha256(content).hexdigest()
        for name, content in contents.items()
    }
