"""The reference of all keys: current, whole, and with type, default, unit and range."""

import re

from raysed.config.data_job import DataJob
from raysed.config.reference import UNITS, reference
from raysed.config.space import Space
from raysed.config.trial import Trial
from tests.paths import ROOT


def test_the_stored_reference_is_current():
    assert (ROOT / "docs/configuration.md").read_text() == reference(), "run `make docs`"


def test_the_reference_shows_type_default_unit_range_and_meaning():
    page = reference()
    for row in (
        "| `duration_s` | number | `10.0` | s | > 0, ≤ 3,600 | Clips are padded",
        "| `hop` | integer | `255` | samples | ≥ 1, ≤ 131,072 | Samples from",
        "| `betas` | [number, number] | `[0.9, 0.999]` |  | ≥ 0, < 1 | Decays",
        "| `pool` | `average`, `max` | `average` |  |  | The published code averages, the paper says max.",
        "| `seeds` | list of integer, mapping | required |  | not empty | Every cell",
        "| `snr_db` | number, `null` | `30.0` | dB |  | Noise on the teacher's input",
        "| `gpus_per_worker` | number, `auto` | `0.0` | GPUs | ≥ 0, ≤ 1,000 | Fractions",
    ):
        assert row in page
    for section in ("`sets.<name> with kind: synthetic`", "`cells[]`", "`search`"):
        assert f"### {section}\n" in page
    assert reference("job") in page and reference("space").rstrip() in page


def test_no_unit_is_left_over():
    shown = set(re.findall(r"^\| `\w+` \|[^|]*\|[^|]*\| ([^|]+) \|", reference(), re.MULTILINE))
    assert shown == set(UNITS.values())


def test_every_key_has_one_row_with_a_meaning():
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", reference(), re.MULTILINE)
    assert not [key for key, meaning in rows if not meaning]
    keys = [key for key, _ in rows]
    for model in (DataJob, Space, Trial):
        assert model.model_fields.keys() <= set(keys)


def test_bounds_are_written_out():
    assert not re.search(r"[\d.]e[+-]?\d\d", re.sub(r"`[^`]*`", "", reference()))
    assert "≥ 1, ≤ 10,000,000 | Soundscapes asked for" in reference("job")
