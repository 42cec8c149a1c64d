"""`raysed report --open` around a browser that is faked."""

import pytest

from raysed.page import shown
from raysed.storage.folder import Folder


@pytest.mark.parametrize("there", [True, False])
def test_the_page_is_opened_or_its_place_is_said(monkeypatch, tmp_path, capsys, there):
    opened = []
    monkeypatch.setattr(shown.webbrowser, "open", lambda uri: opened.append(uri) or there)
    shown.open_page(Folder(str(tmp_path)))
    assert opened == [(tmp_path / "report.html").as_uri()]
    told = capsys.readouterr().err
    assert told == ("" if there else f"no browser here; the page is {tmp_path}/report.html\n")


def test_a_remote_page_is_refused():
    with pytest.raises(ValueError, match="on this machine"):
        shown.open_page(Folder("s3://bucket/run"))
