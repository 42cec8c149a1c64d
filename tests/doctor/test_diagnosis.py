"""Findings as JSON and as tables."""

import io
import json

import pytest
from rich.console import Console

from raysed.data.build.leakage import Leak
from raysed.doctor.diagnosis import (
    AudioCheck,
    BankCheck,
    Diagnosis,
    SetCheck,
    SubsetCheck,
    print_diagnosis,
)

AUDIO = AudioCheck(
    files=5, rates_hz={44100: 1, 16000: 4}, shortest_s=0.25, longest_s=10.0, hours=0.26
)


def text_of(diagnosis: Diagnosis) -> str:
    out = io.StringIO()
    print_diagnosis(diagnosis, Console(file=out, width=200))
    return out.getvalue()


def rows(text: str, title: str) -> list[list[str]]:
    """The cells of every row of the table with this title."""
    body = text[text.index(title) :].split("└")[0]
    return [
        [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")]
        for line in body.splitlines()
        if line.startswith(("│", "┃"))
    ]


def test_nothing_is_healthy() -> None:
    assert text_of(Diagnosis("x")) == "healthy\n"
    assert Diagnosis("x").as_json()["ok"] is True


@pytest.mark.parametrize(("count", "said"), [(1, "1 problem"), (2, "2 problems")])
def test_problems_come_one_a_line_and_are_no_markup(count: int, said: str) -> None:
    lines = [f"weak: [red]clip {n}[/red] " + "long " * 60 for n in range(count)]
    diagnosis = Diagnosis("x", problems=lines, remarks=["mind [this]"])
    found = text_of(diagnosis).splitlines()
    assert found == [*(f"problem: {line}" for line in lines), "remark: mind [this]", said]
    assert not diagnosis.healthy and diagnosis.as_json()["ok"] is False


def test_tables_show_every_count() -> None:
    weak = SubsetCheck("weak", "w.tsv", listed=9, missing=4, overlaps=2, audio=AUDIO)
    weak.per_class = {"Dog": 3, "Bell [big]": 1}
    bare = SubsetCheck("unlabelled", "u.tsv", audio=AudioCheck(unreadable=["a", "b"]))
    bank = BankCheck("train", {"Cat": 2, "Dog": 5}, 6, 3, [], AUDIO)
    diagnosis = Diagnosis("x", subsets=[weak, bare], soundbank=[bank], rooms={"train": 7})
    diagnosis.sets = [SetCheck("val", "to_build", 12)]
    text = text_of(diagnosis)
    assert rows(text, "recorded subsets")[1:] == [
        ["weak", "9", "5", "4", "0", "16000 44100", "0.2-10.0", "0.3", "2"],
        ["unlabelled", "0", "0", "0", "2", "-", "-", "0.0", "0"],
    ]
    # Sets without labels have no column; what one lacks is 0.
    assert rows(text, "events (weak: clips)") == [
        ["class", "weak", "bank train"],
        ["Bell [big]", "1", "0"],
        ["Cat", "0", "2"],
        ["Dog", "3", "5"],
    ]
    expected = ["train", "7", "6", "3", "0", "16000 44100", "0.2-10.0", "7"]
    assert rows(text, "soundbank and rooms")[1] == expected
    assert rows(text, "data sets")[1] == ["val", "to_build", "12"]


def test_json_holds_all_that_was_found() -> None:
    leak = Leak("copy", ("train", "eval"), "abc", ("a.wav", "b.wav"))
    found = Diagnosis("x", subsets=[SubsetCheck("weak", "w.tsv", audio=AUDIO)], leaks=[leak])
    read = json.loads(json.dumps(found.as_json()))
    assert read["subsets"][0]["audio"]["rates_hz"] == {"44100": 1, "16000": 4}
    assert read["leaks"][0]["files"] == ["a.wav", "b.wav"]
