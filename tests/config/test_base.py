"""Names and lines: what a configuration may call things."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.base import Config, Line, Name, content_hash, twins
from raysed.config.fault import ConfigError
from raysed.config.reader import validate


class Things(Config):
    """Both kinds of name."""

    name: Name = "n"
    line: Line = "l"


def fault_of(**content):
    with pytest.raises(ConfigError) as error:
        validate(content, Things, source="f.yaml")
    (fault,) = error.value.faults
    return fault


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "..", "a.b", "é", "a\n", "a" * 101])
def test_what_is_no_name(name):
    assert fault_of(name=name).startswith("f.yaml: name: ")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "a text is expected, given ''"),
        (" ", "a text is expected, given ' '"),
        ("a\tb", "holds a tab, a line break or a control character"),
        ("a\nb", "holds a tab"),
        ("a\u2028b", "holds a tab"),
        (" a", "begins or ends with a space"),
        ("a" * 201, "has 201 characters, more than 200"),
    ],
)
def test_what_is_no_line(line, reason):
    assert reason in fault_of(line=line)


def test_what_is_a_line():
    for line in ("Alarm_bell_ringing", "1 (mini-DESED)", "±3 semitones", "Hund, Katze"):
        assert validate({"line": line}, Things, source="").line == line


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_line_is_one_line_and_one_field(text):
    try:
        line = validate({"line": text}, Things, source="").line
    except ConfigError:
        return
    assert line == text and line.splitlines() == [line] and "\t" not in line


def test_twins():
    assert twins(["Main", "b", "main", "MAIN"]) == ["Main", "main", "MAIN"]
    assert twins(["a", "b"]) == []


@given(st.dictionaries(st.text(string.ascii_letters), st.integers()))
def test_an_identity_does_not_depend_on_the_order_of_keys(content):
    backwards = dict(reversed(content.items()))
    assert content_hash(content) == content_hash(backwards) and len(content_hash(content)) == 12


def test_only_what_differs_from_the_default_is_an_identity():
    assert Things(name="n", line="other").identity() == {"line": "other"}
