"""A run's code and data: noted, compared, and refused when they changed."""

import json

import pytest

from raysed.run import provenance
from raysed.run.folders import MADE_BY, TrialFolder
from raysed.run.ownership import MadeBy
from raysed.run.provenance import Data
from raysed.storage.folder import Folder

DATA = {"weak": Data(id="aaa", content="111"), "dry": Data(id="bbb", content="222")}


class Trial:
    """What MadeBy looks at."""

    def __init__(self, folder):
        self.out = TrialFolder(folder)

    @property
    def is_over(self):
        return self.out.finished


@pytest.fixture
def run(tmp_path):
    return Folder(str(tmp_path))


@pytest.fixture
def trials(run):
    """One begun and one not begun trial; the run is noted."""
    MadeBy(run, [], False, print).note(DATA)
    made = [Trial(run.child("trials/a")), Trial(run.child("trials/b"))]
    made[0].out.write_config({})
    return made


def other_code(monkeypatch):
    now = provenance.code().model_copy(update={"source": "0123456789ab", "commit": "cafe-dirty"})
    monkeypatch.setattr(provenance, "code", lambda: now)


def check(run, trials, data=DATA, *, allow=False):
    said = []
    made_by = MadeBy(run, trials, allow, said.append)
    made_by.check(data)
    made_by.note(data)
    return said


def entries(run):
    return json.loads(run.read(MADE_BY))


def test_the_same_code_and_data_go_on(run, trials):
    assert check(run, trials) == []
    assert len(entries(run)) == 1


def test_changed_code_is_refused_and_both_are_named(run, trials, monkeypatch):
    old = provenance.code()
    other_code(monkeypatch)
    with pytest.raises(
        ValueError, match=r"the code was raysed .* is raysed .*cafe-dirty"
    ) as caught:
        check(run, trials)
    assert f"source {old.source}" in str(caught.value)
    assert "source 0123456789ab" in str(caught.value) and "--allow-changed" in str(caught.value)
    said = check(run, trials, allow=True)
    assert len(said) == 1 and said[0].startswith(
        "warning: allowed by --allow-changed: the code was"
    )
    assert [entry["code"]["source"] for entry in entries(run)] == [old.source, "0123456789ab"]
    assert check(run, trials) == []  # it was allowed once


def test_another_commit_with_the_same_source_goes_on(run, trials, monkeypatch):
    now = provenance.code().model_copy(update={"commit": "feed"})
    monkeypatch.setattr(provenance, "code", lambda: now)
    assert check(run, trials) == []


def test_code_does_not_count_before_the_first_and_after_the_last_trial(run, trials, monkeypatch):
    other_code(monkeypatch)
    assert check(run, [trials[1]]) == []
    assert entries(run)[0]["code"]["source"] == "0123456789ab"
    trials[0].out.write_result({})
    assert check(run, [trials[0]]) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"weak": Data(id="ccc")}, "the data changed: weak was aaa, is ccc"),
        (
            {"weak": Data(id="aaa", content="999")},
            "the shards of weak-aaa had the hash 111, have 999",
        ),
    ],
)
def test_changed_data_are_refused(run, trials, data, message):
    with pytest.raises(ValueError, match=message):
        check(run, trials, DATA | data)
    assert len(check(run, trials, DATA | data, allow=True)) == 1


def test_data_that_are_not_built_yet_are_not_compared(run, trials):
    assert check(run, trials, DATA | {"weak": Data(id="aaa")}) == []


@pytest.mark.parametrize("content", ["{}", "[]", "[{}]", '"x"', '[{"since": "now", "code": {}}]'])
def test_a_file_that_does_not_say_it_is_refused_by_name(run, trials, content):
    run.write(MADE_BY, content.encode())
    with pytest.raises(ValueError, match=r"made_by\.json"):
        check(run, trials)
