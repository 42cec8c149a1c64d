"""The record of a post-processing: current as long as it was made of the scores that are stored."""

import hashlib

from raysed.run.postprocessing_record import FORMAT, PostProcessingRecord, hashes
from raysed.storage.folder import Folder
from raysed.storage.json_file import read_json


def test_it_is_current_until_the_scores_change(tmp_path):
    trial = Folder(str(tmp_path))
    trial.write("scores/val.dry.arrow", b"scores")
    found = hashes(trial, "scores/val.dry.arrow", "scores/dry.dry.arrow")
    assert found["scores/val.dry.arrow"] == hashlib.sha256(b"scores").hexdigest()
    assert found["scores/dry.dry.arrow"] == ""
    assert PostProcessingRecord.read(trial, "val", "dry", "raw") is None
    record = PostProcessingRecord(format=FORMAT, name="raw", scores=found)
    record.write(trial, "val", "dry", {"method": "median"})
    assert (tmp_path / "postprocessing/val.dry.raw.json").is_file()
    assert read_json(trial, "postprocessing/val.dry.raw.json")["method"] == "median"
    stored = PostProcessingRecord.read(trial, "val", "dry", "raw")
    assert stored == record and stored.is_current(trial)
    trial.write("scores/val.dry.arrow", b"others")
    assert not stored.is_current(trial)
    older = PostProcessingRecord(format=FORMAT - 1, name="raw", scores={})
    assert not older.is_current(trial)
