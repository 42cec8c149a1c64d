"""URLs as they may be shown, without what opens a door, and as they may be asked for."""

import re
from urllib.parse import quote

# Up to the last `@` before the path. A secret key with `/` in it, as people paste it, is seen by its `:`, which
# no port follows.
_LOGIN = r"(?<=://)(?:[^\s/?#]*@|[^\s/?#@:]*:(?!\d*(?:[/?#]|$))[^\s@]*@)"
_HIDDEN = "?..."
_KEPT = "%/:?#[]@!$&'()*+,;=~"
"""Signs that a URL may hold as they are; `%` begins an escape."""


def masked(url: str) -> str:
    """A URL without its login and with `?...` for its query and fragment; any other text as it is.

    A presigned URL is a password, and what is shown ends up in logs and result files. Of a chained URL
    (`zip://a.wav::https://host/a.zip?key=1`) every link is masked.
    """
    return "::".join(_masked_link(link) for link in url.split("::"))


def escaped(url: str) -> str:
    """A URL with escapes for what no URL may hold, such as blanks; escapes that are there stay."""
    return quote(url, safe=_KEPT)


def masked_in(text: str) -> str:
    """A message in which URLs may stand, each masked; what follows a URL's query up to a blank or quote goes with it."""
    if "://" not in text:
        return text
    return re.sub(
        r"\?[^\s'\"<>]+?(?=[:,;.)\]]*(?:[\s'\"<>]|$)|::)", _HIDDEN, re.sub(_LOGIN, "", text)
    )


def login_of(url: str) -> str:
    """The login of a URL, with its `@`; empty where it has none."""
    found = re.search(_LOGIN, url)
    return found[0] if found else ""


def _masked_link(link: str) -> str:
    if "://" not in link:
        return link
    path, mark, _ = re.sub(_LOGIN, "", link, count=1).partition("?")
    return f"{path.partition('#')[0]}{_HIDDEN}" if mark or "#" in path else path
