"""tune_spaces/variants_waveform.yaml: B and noise on the waveform, on data sets that hold waveforms."""

import pytest

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
