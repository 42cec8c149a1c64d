"""Which code computes the mel bands: what is there goes first, then the faster one that is installed."""

import sys
from dataclasses import dataclass
from typing import Literal

import pytest

from raysed.config.data_job import DataJob
from raysed.data.build import mel_backend
from raysed.data.build.mel_backend import Mel, backends, fitting_backend, is_installed, refusal
from tests.data.recorded_tree import weak_job


@dataclass(frozen=True)
class SetByBackend:
    begun: bool = False
    state: Literal["present", "to_build"] = "to_build"


THERE, BEGUN, NONE = SetByBackend(True, "present"), SetByBackend(True), SetByBackend()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mel_backend, "find_spec", lambda name: object())


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mel_backend, "find_spec", lambda name: None)


def job(mel: str) -> DataJob:
    return weak_job("tree", "out", mel=mel)


def test_the_faster_one_is_first(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for gpus, first in ((0, "torchaudio"), (1, "dali")):
        monkeypatch.setattr(mel_backend, "_gpus", lambda gpus=gpus: gpus)
        assert backends(job("auto"))[0] == first
        assert set(backends(job("auto"))) == {"dali", "torchaudio"}
        assert backends(job("dali")) == ("dali",)
        assert backends(job("torchaudio")) == ("torchaudio",)


def test_no_gpu_helps_where_dali_is_missing(missing: None, monkeypatch) -> None:
    monkeypatch.setattr(mel_backend, "_gpus", lambda: pytest.fail("nobody needs to know"))
    assert backends(job("auto")) == ("torchaudio", "dali")
    assert not is_installed("dali") and is_installed("torchaudio")
    assert refusal(job("auto"), "torchaudio") is None
    assert "mel: dali" in (refusal(job("dali"), "dali") or "")


def test_torch_is_not_loaded_to_count_gpus_without_a_driver(monkeypatch) -> None:
    def no_such_library(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(mel_backend, "CDLL", no_such_library)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail
    assert mel_backend._gpus() == 0


@pytest.mark.parametrize(
    ("dali", "ours", "expected"),
    [
        ([NONE, NONE], [NONE, NONE], "torchaudio"),
        ([], [], "torchaudio"),
        ([THERE, THERE], [NONE, NONE], "dali"),
        ([BEGUN, NONE], [NONE, NONE], "dali"),
        ([THERE, NONE], [NONE, THERE], "torchaudio"),
        ([THERE, THERE], [THERE, NONE], "dali"),
    ],
)
def test_most_of_what_is_there_decides(
    installed: None, dali: list[SetByBackend], ours: list[SetByBackend], expected: Mel
) -> None:
    assert fitting_backend({"torchaudio": ours, "dali": dali}) == expected


def test_what_is_not_installed_may_be_read_but_not_built(missing: None) -> None:
    assert fitting_backend({"torchaudio": [NONE], "dali": [THERE]}) == "dali"
    assert fitting_backend({"torchaudio": [NONE, NONE], "dali": [THERE, BEGUN]}) == "torchaudio"
    assert fitting_backend({"dali": [NONE]}) == "dali", "what the job names; it is refused later"
