import pytest
import torch

from raysed.config.trial import Trial
from raysed.storage.folder import Folder
from raysed.training.precision import autocast, set_products
from raysed.training.train import train
from tests.training.tiny import sets, trial


@pytest.fixture(autouse=True)
def _switch():
    before = torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.mark.parametrize(
    ("precision", "tf32"),
    [("tf32", True), ("float32", False), ("bfloat16", False), ("float16", False)],
)
def test_only_tf32_rounds_convolutions(precision, tf32):
    torch.backends.cudnn.allow_tf32 = not tf32
    set_products(precision, "cuda:1")
    assert torch.backends.cudnn.allow_tf32 is tf32


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("tf32", torch.float32),
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
        ("float16", torch.float16),
    ],
)
def test_half_precision_stores_half(precision, dtype):
    with autocast(precision, "cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is dtype


def test_a_device_settles_auto_and_nothing_else():
    assert trial().on("cpu").precision == "float32"
    assert trial().on("cuda").precision == trial().on("cuda:3").precision == "tf32"
    for declared in ("tf32", "float32", "bfloat16", "float16"):
        assert trial(precision=declared).on("cuda").precision == declared


def test_float32_has_the_id_that_trials_had_before_there_was_a_choice():
    def identity(trial: Trial) -> dict:
        return trial.training_identity()

    assert identity(trial()) == identity(trial().on("cpu")) == identity(trial(precision="float32"))
    assert "precision" not in identity(trial())
    assert identity(trial().on("cuda"))["precision"] == "tf32"


def test_tf32_on_a_cpu_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ValueError, match="tf32 is for GPUs, and this trial is to train on cpu"):
        train(trial(precision="tf32"), sets(), Folder(str(tmp_path)), seed=0)
    assert not (tmp_path / "checkpoints").exists()
