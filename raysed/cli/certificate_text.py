"""The output of `raysed score --check`: what differs from the certificate."""

import json
from typing import Any

from raysed.cli.console import console

_SHOWN = 20


def show_check(found: dict[str, Any], *, as_json: bool) -> None:
    """Print what `check_certificate` found."""
    if as_json:
        print(json.dumps(found, allow_nan=False))
        return
    lines = [f"file {row['what']}: {row['file']}: {row['name']}" for row in found["files"]]
    for key, word in (("versions", "version"), ("definitions", "definition"), ("values", "value")):
        lines += [f"{word} differs: {_row(row)}" for row in found[key]]
    out = console()
    for line in lines[:_SHOWN]:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if len(lines) > _SHOWN:
        out.print(f"... and {len(lines) - _SHOWN} more (--json lists all)")
    verdict = "confirmed" if found["same"] else "NOT confirmed"
    out.print(f"{found['certificate']}: {verdict}", markup=False, soft_wrap=True)


def _row(row: dict[str, Any]) -> str:
    return f"{row['name']}: {row['then']} in the certificate, {row['now']} here"
