"""Files joined into one: refused or heard to their end, whatever the container."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.audio import read_audio
from raysed.data.containers import joined
from raysed.data.containers.audio_file import audio_info
from raysed.data.containers.joined import is_joined
from tests.data.containers.test_audio_file import CONTAINERS, encoded, heard

ALL = [*CONTAINERS, ("PAF", "PCM_16"), ("IRCAM", "PCM_16")]


@pytest.mark.parametrize(("form", "subtype"), [each for each in ALL if each[0] != "MP3"])
def test_joined_files_are_refused(tmp_path: Path, form: str, subtype: str) -> None:
    """By `predict`, by `data`, and by the doctor."""
    path = tmp_path / "joined"
    path.write_bytes(encoded(form, subtype) + encoded(form, subtype, seconds=1.0))
    for read in (heard, lambda path: read_audio(path, 16000), lambda path: audio_info(str(path))):
        with pytest.raises(ValueError, match=r"several recordings one after the other|marker"):
            read(path)


def test_flac_whose_second_part_has_no_other_metadata(tmp_path: Path) -> None:
    first = encoded("FLAC", "PCM_16")
    assert first[4] == 0
    second = first[:4] + b"\x80" + first[5:42]
    assert is_joined(io.BytesIO(first + second)) and not is_joined(io.BytesIO(first))


@given(st.integers(0, 40), st.integers(1, 40))
def test_wherever_the_second_beginning_is(before: int, block: int) -> None:
    """Also across the blocks that are read."""
    content = b"NIST_1A\n" + bytes(before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joined, "_BLOCK_BYTES", block)
        assert not is_joined(io.BytesIO(content))
        assert is_joined(io.BytesIO(content + b"NIST_1A\n" + bytes(3)))
