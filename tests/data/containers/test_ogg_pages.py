"""Pages of Ogg files made by hand: which lie there whole."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.containers.ogg_pages import ogg_fault
from tests.data.containers.test_audio_file import encoded

BEGINS, ENDS = 2, 4


def page(number: int, flags: int = 0, serial: int = 7, size: int = 300) -> bytes:
    segments = bytes([255] * (size // 255) + [size % 255])
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 0, serial, number, 0, len(segments))
    return head + segments + bytes(size)


def fault(*pages: bytes) -> str:
    return ogg_fault(io.BytesIO(b"".join(pages)))


def test_whole_streams() -> None:
    assert fault(page(0, BEGINS), page(1), page(2, ENDS)) == ""
    assert fault(page(0, BEGINS | ENDS)) == ""
    assert fault(page(0, BEGINS), page(1, ENDS), b"a tag that some program put behind") == ""
    two = (page(0, BEGINS), page(0, BEGINS, 8), page(1), page(1, ENDS, 8), page(2, ENDS))
    assert fault(*two) == ""


def test_a_stream_without_its_end() -> None:
    assert "the page that ends" in fault(page(0, BEGINS), page(1))
    assert "the page that ends" in fault(page(0, BEGINS), page(1, ENDS)[:-1])
    assert "the page that ends" in fault(page(0, BEGINS), page(0, BEGINS, 8), page(1, ENDS))


def test_a_page_that_is_lost() -> None:
    assert fault(page(0, BEGINS), page(1), page(3, ENDS)) == "is damaged: its page 2 is not there"


def test_joined_files_are_not_heard_in_part() -> None:
    one = encoded("OGG", "VORBIS", 0.5)
    assert fault(one) == ""
    assert "several recordings" in fault(one, encoded("OGG", "VORBIS", 0.3))
    assert "several recordings" in fault(
        page(0, BEGINS), page(1, ENDS), page(0, BEGINS), page(1, ENDS)
    )


VORBIS = encoded("OGG", "VORBIS", 1.0)


@given(st.integers(28, len(VORBIS) - 1))
def test_no_cut_passes(length: int) -> None:
    assert fault(VORBIS[:length])


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_what_libsndfile_writes_is_whole(subtype: str) -> None:
    assert fault(encoded("OGG", subtype, 2.0)) == ""
