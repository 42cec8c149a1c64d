"""The lines of `raysed score --check`."""

import json

import pytest

from raysed.cli.certificate_text import show_check


def found(**changes: object) -> dict:
    nothing = {"files": [], "versions": [], "definitions": [], "values": [], "same": True}
    return {"certificate": "cert.json"} | nothing | changes


def test_what_is_confirmed_takes_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_check(found(), as_json=False)
    assert capsys.readouterr().out == "cert.json: confirmed\n"


def test_every_kind_of_difference_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "versions.numpy", "then": "1", "now": "2"}
    file = {"file": "p (predictions)", "name": "0.1.tsv", "what": "gone"}
    values = [{"name": f"v{n}", "then": 0.1, "now": 0.2} for n in range(30)]
    shown = found(files=[file], versions=[row], values=values, same=False)
    show_check(shown, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "file gone: p (predictions): 0.1.tsv"
    assert lines[1] == "version differs: versions.numpy: 1 in the certificate, 2 here"
    assert lines[-2:] == ["... and 12 more (--json lists all)", "cert.json: NOT confirmed"]
    show_check(shown, as_json=True)
    assert json.loads(capsys.readouterr().out) == shown
