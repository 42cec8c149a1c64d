"""Tables are as wide as the terminal, or as their cells where there is none."""

import io
import sys

import pytest
from rich.table import Table

from raysed.cli.console import console


@pytest.mark.parametrize(("terminal", "whole"), [(True, False), (False, True)])
def test_a_table_is_cut_on_a_narrow_terminal_only(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, whole: bool
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    table = Table("name")
    table.add_row("long" * 30)
    console().print(table)
    assert ("long" * 30 in out.getvalue()) is whole
