"""Certificates: confirmed as they are, and what is said of every kind of change."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from raysed.evaluation.score.certificate import (
    check_certificate,
    differing,
    found_by,
    refuse_own_input,
    write_certificate,
)
from raysed.evaluation.score.request import ScoreRequest

HEADER = "filename\tonset\toffset\tevent_label\n"


@pytest.fixture
def request_for(tmp_path: Path) -> ScoreRequest:
    rows = "".join(
        f"{name}.wav\t1\t2\t{label}\n" for name, label in zip("abcdef", "ABABAB", strict=True)
    )
    (tmp_path / "truth.tsv").write_text(HEADER + rows)
    (tmp_path / "ours.tsv").write_text(HEADER + rows.replace("c.wav\t1", "c.wav\t0"))
    return ScoreRequest(tmp_path / "ours.tsv", tmp_path / "truth.tsv", draws=50, overlaps="keep")


@pytest.fixture
def certificate(request_for: ScoreRequest, tmp_path: Path) -> Path:
    write_certificate(tmp_path / "cert.json", request_for, found_by(request_for))
    return tmp_path / "cert.json"


def test_it_says_what_was_scored_and_how(certificate: Path, request_for: ScoreRequest) -> None:
    content = json.loads(certificate.read_text())
    assert content["options"]["overlaps"] == "keep" and content["set"]["clips"] == 6
    assert list(content["files"]) == ["predictions", "ground_truth"]
    assert len(content["files"]["predictions"]["ours.tsv"]) == 64
    assert content["definitions"]["event_f1"]["t_collar_s"] == 0.2
    assert content["definitions"]["psds1"]["criteria"] == {"dtc": 0.7, "gtc": 0.7, "cttc": None}
    assert content["found"]["event_f1"]["value"] == found_by(request_for)["event_f1"]["value"]


def test_what_has_not_changed_is_confirmed(certificate: Path) -> None:
    found = check_certificate(certificate)
    assert found["same"]
    assert (found["files"], found["versions"], found["definitions"], found["values"]) == (
        [],
        [],
        [],
        [],
    )


def test_a_changed_file_and_its_values_are_named(certificate: Path, tmp_path: Path) -> None:
    with (tmp_path / "ours.tsv").open("a") as file:
        file.write("a.wav\t5\t6\tA\n")
    found = check_certificate(certificate)
    assert not found["same"]
    (row,) = found["files"]
    assert (row["name"], row["what"]) == ("ours.tsv", "changed") and "(predictions)" in row["file"]
    names = [row["name"] for row in found["values"]]
    assert "event_f1.value" in names and "per_class.A.event_f1.value" in names


def test_an_empty_line_changes_a_file_and_no_value(certificate: Path, tmp_path: Path) -> None:
    with (tmp_path / "ours.tsv").open("a") as file:
        file.write("\n")
    found = check_certificate(certificate)
    assert [row["what"] for row in found["files"]] == ["changed"] and found["values"] == []
    assert not found["same"]


def test_another_version_alone_is_said_and_confirmed(certificate: Path) -> None:
    content = json.loads(certificate.read_text())
    content["versions"]["numpy"] = "1.0"
    certificate.write_text(json.dumps(content))
    found = check_certificate(certificate)
    assert found["same"] and found["versions"][0]["name"] == "versions.numpy"


def test_a_forged_value_or_definition_is_found(certificate: Path) -> None:
    content = json.loads(certificate.read_text())
    content["found"]["event_f1"]["value"] += 1e-9
    content["definitions"]["event_f1"]["t_collar_s"] = 0.3
    certificate.write_text(json.dumps(content))
    found = check_certificate(certificate)
    assert [row["name"] for row in found["values"]] == ["event_f1.value"]
    assert [row["name"] for row in found["definitions"]] == ["definitions.event_f1.t_collar_s"]
    assert not found["same"]


def test_folders_name_new_changed_and_lost_files(request_for: ScoreRequest, tmp_path: Path) -> None:
    points = tmp_path / "points"
    points.mkdir()
    for threshold in ("0.1", "0.5", "0.9"):
        (points / f"{threshold}.tsv").write_text((tmp_path / "ours.tsv").read_text())
    request = replace(request_for, predictions=points)
    write_certificate(tmp_path / "points.json", request, found_by(request))
    (points / "0.1.tsv").rename(points / "0.2.tsv")
    found = check_certificate(tmp_path / "points.json")
    assert [(row["name"], row["what"]) for row in found["files"]] == [
        ("0.1.tsv", "gone"),
        ("0.2.tsv", "new"),
    ]


def test_many_systems_have_certificates_too(request_for: ScoreRequest, tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    for name in ("ours", "truth"):
        (tmp_path / "systems" / f"{name}.tsv").write_text((tmp_path / f"{name}.tsv").read_text())
    request = replace(request_for, predictions=None, systems=tmp_path / "systems")
    write_certificate(tmp_path / "many.json", request, found_by(request))
    assert check_certificate(tmp_path / "many.json")["same"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "not json", "cert.json: not JSON, so no certificate"),
        (lambda text: "[]", "cert.json: no certificate of `raysed score --certificate`"),
        (
            lambda text: text.replace('"format": 1', '"format": 9'),
            "cert.json: format 9 is of another",
        ),
        (lambda text: text.replace('"files"', '"file"'), "cert.json: files: missing or no mapping"),
        (
            lambda text: text.replace("ours.tsv", "gone.tsv"),
            "cert.json: paths.predictions: .*gone.tsv",
        ),
        (
            lambda text: text.replace('"overlaps"', '"overlap"'),
            "cert.json: paths and options: .*overlap",
        ),
        (
            lambda text: re.sub('"predictions": "[^"]*"', '"predictions": 3', text, count=1),
            "cert.json: paths.predictions: 3 is no path",
        ),
        (lambda text: text.replace('"draws": 50', '"draws": "50"'), "--draws '50': expected a wh"),
        (
            lambda text: re.sub(r'"metrics": \[[^]]*\]', '"metrics": "psds"', text, count=1),
            "cert.json: options.metrics: 'psds' is no list",
        ),
    ],
)
def test_what_is_no_certificate_is_refused(certificate: Path, change, message: str) -> None:
    certificate.write_text(change(certificate.read_text()))
    with pytest.raises(ValueError, match=message):
        check_certificate(certificate)


def test_values_differ_by_more_than_the_last_bit() -> None:
    then = {"a": 0.1 + 0.2, "b": [1, 2.0], "c": None, "d": 1}
    assert list(differing(then, {"a": 0.3, "b": [1, 2.5], "c": 0.0}, "")) == [
        ("b[1]", 2.0, 2.5),
        ("c", None, 0.0),
        ("d", 1, None),
    ]


def test_moved_systems_are_confirmed(request_for: ScoreRequest, tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    for name in ("ours", "truth"):
        (tmp_path / "systems" / f"{name}.tsv").write_text((tmp_path / f"{name}.tsv").read_text())
    request = replace(request_for, predictions=None, systems=tmp_path / "systems")
    certificate = tmp_path / "many.json"
    write_certificate(certificate, request, found_by(request))
    (tmp_path / "systems").rename(tmp_path / "elsewhere")
    moved = json.loads(certificate.read_text())
    moved["paths"]["systems"] = str(tmp_path / "elsewhere")
    certificate.write_text(json.dumps(moved))
    assert check_certificate(certificate)["same"]


def test_another_version_of_the_engine_is_a_version(
    request_for: ScoreRequest, tmp_path: Path
) -> None:
    pytest.importorskip("sed_eval")
    request, certificate = replace(request_for, engine="sed_eval"), tmp_path / "cert.json"
    write_certificate(certificate, request, found_by(request))
    content = json.loads(certificate.read_text())
    content["versions"]["sed_eval"] = content["found"]["engine"]["version"] = "0.1"
    certificate.write_text(json.dumps(content))
    found = check_certificate(certificate)
    assert found["same"] and [row["name"] for row in found["versions"]] == ["versions.sed_eval"]


def test_what_is_scored_is_not_written_over(request_for: ScoreRequest, tmp_path: Path) -> None:
    for name, option in (("truth", "ground-truth"), ("ours", "predictions")):
        with pytest.raises(ValueError, match=f"{name}.tsv: would lie among what --{option} gives"):
            refuse_own_input(tmp_path / f"{name}.tsv", request_for)
    points = replace(request_for, predictions=tmp_path / "points")
    with pytest.raises(ValueError, match="among what --predictions gives"):
        refuse_own_input(tmp_path / "points" / "0.5.tsv", points)
    refuse_own_input(tmp_path / "points" / "cert.json", points)
