"""The page as text; tests/page/test_browser.py opens it."""

import hashlib
import json
import re
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from raysed.evaluation.counts.statistics import Statistics
from raysed.page.page import LIMIT_BYTES, as_block, render_page, write_page
from raysed.report.report import write_report
from tests.page.made_up import MadeUp, make_run

EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'


class Elements(HTMLParser):
    """Tags, and the text of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag, attrs = self.tags[-1] if self.tags else ("", {})
        if tag in ("script", "style"):
            self.texts.setdefault(attrs.get("id", tag), data)


@pytest.fixture(autouse=True, scope="module")
def no_figures():
    """tests/page/test_figures.py draws them: seconds each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raysed.page.page.write_figures", lambda run, content: ["and the figures"])
        yield


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("page"), MadeUp(column=EVIL, classes=("A", EVIL)))
    lines = write_page(write_report(run))
    assert lines == [f"wrote {run.url}/report.html", "and the figures"]
    return run.read("report.html").decode()


def test_markup_in_names_stays_text(page):
    found = Elements(page)
    assert [tag for tag, _ in found.tags if tag in ("script", "img")] == ["script", "script"]
    content = json.loads(found.texts["content"])
    assert content["classes"][0]["classes"] == ["A", EVIL]
    assert "<" not in found.texts["content"]


def test_the_page_loads_nothing_and_runs_its_own_script_only(page):
    found = Elements(page)
    policy = next(a["content"] for t, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")  # fmt: skip
    assert policy.startswith("default-src 'none'; ")
    for name in ("script", "style"):
        digest = b64encode(hashlib.sha256(found.texts[name].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy and "http" not in policy.replace("http-equiv", "")
    assert not [a for t, a in found.tags if a.get("src") or t == "link" or "style" in a]
    script = found.texts["script"]
    assert not re.search(r"\b(eval|innerHTML|outerHTML|document\.write|insertAdjacentHTML|fetch|Function)\b", script)  # fmt: skip


def test_a_block_cannot_end_its_element():
    text = as_block({"a": "</script><!--", "b": "\u2028"})
    assert "<" not in text and json.loads(text) == {"a": "</script><!--", "b": "\u2028"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_block({"a": float("nan")})


def test_media_go_before_the_page_gets_too_large(tmp_path, monkeypatch):
    run = make_run(tmp_path, MadeUp(cells=1, seeds=1))
    report = write_report(run)
    monkeypatch.setattr("raysed.page.page.LIMIT_BYTES", 1)
    write_page(report)
    assert b"data:image/png" not in run.read("report.html").replace(b"img-src data:", b"")
    assert LIMIT_BYTES == 10_000_000


def test_an_equal_run_gives_an_equal_page(tmp_path):
    report = write_report(make_run(tmp_path, MadeUp(cells=2, seeds=1)))
    write_page(report)
    first = report.run.read("report.html")
    write_page(report)
    assert report.run.read("report.html") == first


def test_dollars_in_names_are_no_placeholders(tmp_path):
    run = make_run(tmp_path, MadeUp(cells=1, seeds=1, column="$content ${style}"))
    write_page(write_report(run))
    assert "$content ${style} 0" in run.read("report.html").decode()


def test_render_needs_no_run():
    content = {"run": {"space": "<b>a & b</b>"}}
    assert b"<title>&lt;b&gt;a &amp; b&lt;/b&gt;: raysed report</title>" in render_page(content)


def test_tables_and_page_read_each_statistic_once(tmp_path, monkeypatch):
    run = make_run(tmp_path, MadeUp(cells=2, seeds=2, clips=10))
    stored = list((tmp_path / "run" / "trials").rglob("statistics/*.npz"))
    loaded, load = [], Statistics.load

    def counted(file):
        loaded.append(file)
        return load(file)

    monkeypatch.setattr(Statistics, "load", counted)
    write_page(write_report(run))
    assert len(loaded) == len(stored) > 0
