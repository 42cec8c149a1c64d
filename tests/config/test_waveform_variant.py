"""tune_spaces/variants_waveform.yaml: B and noise on the waveform, on data sets that hold waveforms."""

from pathlib import Path

import pytest
import yaml

from raysed.config.fault import ConfigError
from raysed.config.reader import read_yaml
from raysed.config.space import read_space
from tests.paths import ROOT


@pytest.fixture
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)
    for name in ("DESED_ROOT", "DESED_METADATA"):
        monkeypatch.setenv(name, "/nowhere")


def test_it_differs_from_b_in_the_noise_alone(at_root):
    variant = read_space("tune_spaces/variants_waveform.yaml")
    ablation = read_space("tune_spaces/ablation.yaml")
    b, noisy = variant.training_of("B"), variant.training_of("waveform-noise")
    assert b.id == ablation.training_of("B").id != noisy.id
    assert noisy.trial.reads_waveforms and not b.trial.reads_waveforms
    teacher = b.trial.teacher.model_copy(update={"noise_domain": "waveform"})
    assert noisy.trial == b.trial.model_copy(update={"teacher": teacher})


def test_its_data_are_desed_with_waveforms(at_root):
    with_waveforms, _ = read_yaml("data_jobs/desed_waveforms.yaml")
    desed, _ = read_yaml("data_jobs/desed.yaml")
    assert with_waveforms["features"] == {"waveforms": True} and "features" not in desed
    assert with_waveforms["classes"] == desed["classes"]
    for key in ("roots", "sets"):
        assert with_waveforms[key].items() <= desed[key].items()


def test_a_space_that_needs_waveforms_names_the_job_that_has_none(tmp_path: Path) -> None:
    strong = {"kind": "recorded", "subset": "validation"}
    job = {
        "name": "mels_only",
        "out": "out",
        "roots": {"recorded": "r"},
        "sets": {"weak": {"kind": "recorded", "subset": "weak"}, "strong": strong},
    }
    space = {
        "name": "tiny",
        "data_job": str(tmp_path / "job.yaml"),
        "run": "run",
        "seeds": [0],
        "base": {
            "data": {"weak": "weak", "evaluation": ["strong"]},
            "shares": {"synthetic": 0, "unlabelled": 0, "weak": 4},
            "teacher": {"noise_domain": "waveform"},
        },
        "cells": [{"id": "a", "table": "4", "column": "30 dB", "xvalid": "strong"}],
    }
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(space))

    def faults(features: dict[str, bool]) -> list[str]:
        (tmp_path / "job.yaml").write_text(yaml.safe_dump({**job, "features": features}))
        try:
            read_space(tmp_path / "space.yaml")
        except ConfigError as error:
            return error.faults
        return []

    (fault,) = faults({})
    assert "teacher.noise_domain is waveform" in fault
    assert "features.waveforms: true in the data job mels_only" in fault
    assert faults({"waveforms": True}) == []
