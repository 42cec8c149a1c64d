"""`raysed report --open`: the page in the browser of whoever asked."""

import sys
import webbrowser
from pathlib import Path

from raysed.run.folders import PAGE
from raysed.storage.folder import Folder


def open_page(run: Folder) -> None:
    """Open the page of a run; where there is no browser, as on a server, say where the page is.

    Raises ValueError for a run on a remote file system.
    """
    if not run.is_local:
        raise ValueError(f"{run.url}/{PAGE}: --open needs a run on this machine")
    page = Path(run.url, PAGE).resolve()
    if not webbrowser.open(page.as_uri()):
        print(f"no browser here; the page is {page}", file=sys.stderr)
