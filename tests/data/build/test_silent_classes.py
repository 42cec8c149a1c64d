"""Classes that never sound in a set are known before it is built."""

from pathlib import Path

import pytest

from raysed.data.build.dataset_plan import plan
from raysed.data.build.silent_classes import silence_remark, silent_classes
from tests.data.build.test_annotated_source import job_of, real
from tests.data.recorded import forms


def only(job):
    (planned,) = plan(job)
    return planned


def test_what_no_event_of_an_own_set_has(tmp_path: Path) -> None:
    forms.desed_strong_real(tmp_path)
    classes = ("Cat", "Dog", "Speech", "Vacuum_cleaner")
    found = only(job_of(tmp_path / "o", classes, real=real(str(tmp_path))))
    assert silent_classes(found) == ("Cat",)
    assert str(silence_remark(found)).startswith("set real: no event of Cat in its 2 recordings; ")
    assert "split_seed" not in str(silence_remark(found))
    part = only(job_of(tmp_path / "o", classes, real=real(str(tmp_path)) | {"limit": 1}))
    assert silent_classes(part) == ("Cat", "Dog", "Speech")
    masked = real(str(tmp_path)) | {"annotates": ("Dog", "Speech"), "other_labels": "ignore"}
    masked = only(job_of(tmp_path / "o", classes, real=masked))
    assert silent_classes(masked) == () and silence_remark(masked) is None


def test_soft_values_of_a_half_and_less_are_no_events(tmp_path: Path) -> None:
    forms.audio(tmp_path / "a/one.wav")
    forms.text(tmp_path / "l/one.txt", "0\t1\tDog\t0.5\n0\t1\tSpeech\t0.6\n")
    fields = {"audio": f"{tmp_path}/a", "labels": f"{tmp_path}/l", "type": "soft"}
    assert silent_classes(only(job_of(tmp_path / "o", ("Dog", "Speech"), soft=fields))) == ("Dog",)


@pytest.mark.parametrize("kind", ["weak", "none"])
def test_sets_without_times_are_not_asked(tmp_path: Path, kind: str) -> None:
    forms.esc_folders(tmp_path / "esc", clips=1)
    fields = {"audio": f"{tmp_path}/esc", "type": kind}
    assert silent_classes(only(job_of(tmp_path / "o", ("cat", "dog", "rain"), esc=fields))) == ()


def test_a_part_may_be_drawn_otherwise(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=20)
    fields = {"audio": f"{tmp_path}/esc", "type": "strong", "part": "xvalid"}
    found = only(job_of(tmp_path / "o", ("cat", "dog", "rain"), xvalid=fields))
    assert "cat" in silent_classes(found) and "another split_seed" in str(silence_remark(found))
