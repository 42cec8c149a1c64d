"""The page of a run, `RUN/report.html`, which needs no other file, and the same figures as files for papers.

The page is static: its content is one JSON block, drawn by the scripts in assets/. It loads nothing and may
run nothing but these scripts (Content-Security-Policy with their hashes); every name reaches the document as
text, never as markup.
"""

import base64
import hashlib
import html
import json
import string
from importlib.resources import files
from typing import Any

from raysed.page.content import page_content
from raysed.page.figures import write_figures
from raysed.report.report import Report
from raysed.run.folders import PAGE

SCRIPTS = (
    "elements.js",
    "tables.js",
    "charts.js",
    "claims.js",
    "sections.js",
    "confusion.js",
    "training.js",
    "browser.js",
    "soundscapes.js",
    "main.js",
)
LIMIT_BYTES = 10_000_000


def write_page(report: Report) -> list[str]:
    """Write report.html and figures/* of a reduced run; return what was written, a line each.

    Raises ValueError where trials were scored on different sets under one name.
    """
    run, content = report.run, page_content(report)
    text = render_page(content)
    if len(text) > LIMIT_BYTES:
        for entry in [*content["browser"], *content["soundscapes"]]:
            for clip in entry["clips"]:
                clip |= {"picture": None, "audio": None}
        text = render_page(content)
    run.write(PAGE, text)
    return [f"wrote {run.url}/{PAGE}", *write_figures(run, content)]


def render_page(content: dict[str, Any]) -> bytes:
    """The page."""
    assets = files("raysed.page") / "assets"
    script = "\n".join((assets / name).read_text("utf-8") for name in SCRIPTS)
    style = (assets / "page.css").read_text("utf-8")
    page = string.Template((assets / "page.html").read_text("utf-8"))
    return page.substitute(
        policy=policy(script, style),
        title=html.escape(f"{content['run']['space']}: raysed report"),
        style=style,
        content=as_block(content),
        script=script,
    ).encode()


def policy(script: str, style: str) -> str:
    """Return the page's Content-Security-Policy: nothing from elsewhere, only these two texts and media in
    data URIs.
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; media-src data:;"
        f" script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    )


def as_block(content: dict[str, Any]) -> str:
    """Return JSON that cannot end the element that it stands in."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
