import json

import pytest

from tests.parity.golden import FILES, check_all, main
from tests.paths import GOLDEN


@pytest.fixture(scope="module")
def parts():
    return check_all(GOLDEN)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "forward",
        "forward_float32",
        "losses",
        "lr",
        "consistency_weight",
        "state",
        "forward_after_training",
        "features",
        "noise_std",
        "labels",
        "decoding",
        "ramps",
    ],
)
def test_published_values(parts, name):
    assert parts[name]["error"] <= parts[name]["tolerance"]


def test_missing_file_is_usage(tmp_path):
    lines = []
    assert main([str(tmp_path)], lines.append) == 2
    assert FILES[0] in lines[0]


@pytest.mark.slow
def test_a_wrong_value_fails(tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes((GOLDEN / name).read_bytes())
    expected = json.loads((tmp_path / "train_expected.json").read_text())
    expected["meters"]["Loss"][1] *= 1 + 1e-6
    (tmp_path / "train_expected.json").write_text(json.dumps(expected))
    lines = []
    assert main([str(tmp_path)], lines.append) == 1
    assert json.loads(lines[-1])["parts"]["losses"]["ok"] is False
