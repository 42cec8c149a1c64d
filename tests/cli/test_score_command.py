"""`raysed score` as a program: which works its options ask for, and its exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from raysed.cli.entry import main

HEADER = "filename\tonset\toffset\tevent_label\n"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    rows = "".join(f"{name}.wav\t1\t2\tA\n" for name in "abcd")
    (tmp_path / "truth.tsv").write_text(HEADER + rows)
    (tmp_path / "systems").mkdir()
    for name, onset in (("good", "1"), ("poor", "0")):
        text = HEADER + rows.replace("c.wav\t1", f"c.wav\t{onset}")
        (tmp_path / "systems" / f"{name}.tsv").write_text(text)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["raysed", "score", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


ONE = ("--predictions", "systems/poor.tsv", "--ground-truth", "truth.tsv", "--draws", "20")
MANY = ("--systems", "systems", "--ground-truth", "truth.tsv", "--draws", "20")


def test_many_systems_are_ranked(call: Call) -> None:
    code, out, _ = call(*MANY, "--json")
    ranking = json.loads(out)["metrics"]["event_f1"]["ranking"]
    assert (code, [row["system"] for row in ranking]) == (0, ["good", "poor"])
    code, out, _ = call(*MANY)
    assert code == 0 and "less good" in out


def test_a_certificate_is_written_and_checked(call: Call, tmp_path: Path) -> None:
    assert call(*ONE, "--certificate", "cert.json")[0] == 0
    code, out, _ = call("--check", "cert.json")
    assert (code, out) == (0, "cert.json: confirmed\n")
    with (tmp_path / "systems" / "poor.tsv").open("a") as file:
        file.write("d.wav\t5\t6\tA\n")
    code, out, _ = call("--check", "cert.json")
    assert code == 1 and "file changed: systems/poor.tsv (predictions): poor.tsv" in out
    assert out.endswith("cert.json: NOT confirmed\n")


def test_an_engine_confirms(call: Call) -> None:
    code, out, _ = call(*ONE, "--engine", "sed_eval")
    assert code == 0 and "By sed_eval 0.2.1: the same values" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--predictions", "truth.tsv"), "--ground-truth is missing"),
        (("--ground-truth", "truth.tsv"), "give either --predictions, one system, or --systems"),
        ((*ONE, "--check", "truth.tsv"), "leave out --predictions"),
        (("--check", "truth.tsv"), "truth.tsv: not JSON, so no certificate"),
    ],
)
def test_options_that_ask_for_nothing_are_refused(
    call: Call, arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = call(*arguments)
    assert code == 2 and message in err


def test_a_check_takes_no_other_option(call: Call, tmp_path: Path) -> None:
    """They were taken and did nothing, so that "confirmed" was of other draws."""
    assert call(*ONE, "--certificate", "cert.json")[0] == 0
    for option in (("--draws", "50"), ("--metrics", "event_f1"), ("--threshold", "0.3")):
        code, _, err = call("--check", "cert.json", *option)
        assert code == 2 and f"leave out {option[0]}" in err
    code, _, err = call(*ONE, "--certificate", "truth.tsv")
    assert code == 2 and "would lie among what --ground-truth gives" in err
    assert (tmp_path / "truth.tsv").read_text().startswith(HEADER)


def test_blanks_beside_the_commas_of_metrics_do_not_matter(call: Call) -> None:
    code, out, _ = call(*ONE, "--metrics", "event_f1, segment_f1", "--json")
    assert code == 0 and {"event_f1", "segment_f1"} < {*json.loads(out)}
    assert call(*ONE, "--metrics", "")[0] == 2
