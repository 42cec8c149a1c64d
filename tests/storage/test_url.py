"""What of a URL may be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.storage.url import escaped, masked, masked_in

SECRET = "SeCr3t"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/take.wav", "https://host/take.wav"),
        (f"https://host/take.wav?X-Amz-Signature={SECRET}", "https://host/take.wav?..."),
        (f"https://host/a.wav?name=my take&key={SECRET}", "https://host/a.wav?..."),
        (f"https://host/a b.wav#{SECRET}", "https://host/a b.wav?..."),
        (f"https://user:{SECRET}@host:8080/a.wav", "https://host:8080/a.wav"),
        (f"https://user:p@{SECRET}@host/a.wav", "https://host/a.wav"),
        (f"s3://KEY:ab/{SECRET}@bucket/a.wav", "s3://bucket/a.wav"),
        ("s3://bucket/user@home/a.wav", "s3://bucket/user@home/a.wav"),
        ("ftp://host:21/user@home/a.wav", "ftp://host:21/user@home/a.wav"),
        (
            f"zip://day?/a.wav::https://u:{SECRET}@host/a.zip?k={SECRET}",
            "zip://day?...::https://host/a.zip?...",
        ),
        (f"zip://a.wav::https://host/a.zip?k={SECRET}", "zip://a.wav::https://host/a.zip?..."),
        ("/data/what?/me@home/a::b#1.wav", "/data/what?/me@home/a::b#1.wav"),
    ],
)
def test_login_and_query_are_hidden_and_nothing_else(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"https://h/a.wav?k={SECRET}: not found", "https://h/a.wav?...: not found"),
        (f"no 'https://h/a b.wav?k={SECRET}' here", "no 'https://h/a b.wav?...' here"),
        (f"(url=https://u:{SECRET}@h/a?k={SECRET})", "(url=https://h/a?...)"),
        (f"zip://a::https://h/z?k={SECRET}::x y", "zip://a::https://h/z?...::x y"),
        ("is it s3://lab/run? yes", "is it s3://lab/run? yes"),
        ("what?is=this", "what?is=this"),
    ],
)
def test_urls_within_a_message(text: str, shown: str) -> None:
    assert masked_in(text) == shown


@given(
    login=st.from_regex(r"\A[A-Za-z0-9+=.]{1,12}:SECRET[A-Za-z0-9+/=%]{0,12}\Z"),
    query=st.from_regex(r"\A[a-z]{1,5}=SECRET[^'\"<>\s]{0,20}\Z"),
)
def test_no_secret_is_left(login: str, query: str) -> None:
    url = f"s3://{login}@bucket/a.wav?{query}".replace("::", "")
    assert "SECRET" not in masked(url)
    assert "SECRET" not in masked_in(f"{url} cannot be read")


def test_blanks_and_letters_are_escaped_and_escapes_stay() -> None:
    assert escaped("s3://lab/a b/%20é/x.wav?k=1#2") == "s3://lab/a%20b/%20%C3%A9/x.wav?k=1#2"
