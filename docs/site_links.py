"""A hook of mkdocs: links of a page to files beside docs/ become their names, since the site holds docs/ alone."""

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)]+)\)")


def on_page_markdown(markdown: str, **about: Any) -> str:
    """Return a page whose links leave the site nowhere."""
    return _OUTSIDE.sub(r"\1 (`\2` in the repository)", markdown)
