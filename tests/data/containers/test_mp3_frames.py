"""MP3s with and without a header that tells their length, and joined ones."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.data.containers.mp3_frames import read_head, scan_mp3
from raysed.data.stream import Heard, blocks

RATE_HZ = 16000
SECONDS = 8.1
FRAME = 576
"""Samples of a frame at this rate (MPEG 2)."""


@pytest.fixture(scope="module")
def mp3() -> bytes:
    """Variable bit rate: noise for 2 s, then next to nothing, so that the first frames say little of the others."""
    noise_T = np.random.default_rng(0).uniform(-0.5, 0.5, round(SECONDS * RATE_HZ))
    noise_T[2 * RATE_HZ :] *= 1e-4
    file = io.BytesIO()
    options = {"format": "MP3", "bitrate_mode": "VARIABLE", "compression_level": 0.5}
    soundfile.write(file, noise_T, RATE_HZ, **options)
    return file.getvalue()


def headless(content: bytes) -> bytes:
    """Without the frame that only tells how many others there are."""
    return content[read_head(content[:4]).length :]


def heard(tmp_path: Path, content: bytes) -> Heard:
    found = Heard()
    (tmp_path / "a.mp3").write_bytes(content)
    for _ in blocks(str(tmp_path / "a.mp3"), RATE_HZ, found):
        pass
    return found


def test_the_header_and_the_frames_say_the_same(mp3: bytes) -> None:
    found = scan_mp3(io.BytesIO(mp3))
    assert found.is_told and found.frames == found.told and not found.short
    # The encoder delays the sound by most of two frames.
    assert found.told == -(-round(SECONDS * RATE_HZ) // FRAME) + 2
    assert found.first.samples == FRAME and found.begin == found.first.length


def test_without_a_header_all_is_heard(tmp_path: Path, mp3: bytes) -> None:
    """libsndfile alone hears a share of it, by the bit rate of the first frame."""
    content = headless(mp3)
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert file.frames < 0.6 * SECONDS * RATE_HZ
    found = heard(tmp_path, content)
    assert SECONDS <= found.duration_s <= SECONDS + 3 * FRAME / RATE_HZ
    assert found.notes() == ("its header does not say how long it is: a cut would not be seen",)


def test_of_joined_files_all_is_heard(tmp_path: Path, mp3: bytes) -> None:
    for content in (mp3 + mp3, mp3 + headless(mp3)):
        found = heard(tmp_path, content)
        assert 2 * SECONDS <= found.duration_s <= 2 * SECONDS + 7 * FRAME / RATE_HZ
        assert found.notes() == ("several MP3 files joined into one: all are heard",)
    assert heard(tmp_path, headless(mp3) * 3).duration_s >= 3 * SECONDS


def test_with_a_header_it_is_heard_as_before(tmp_path: Path, mp3: bytes) -> None:
    assert heard(tmp_path, mp3).duration_s == SECONDS and heard(tmp_path, mp3).notes() == ()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_cut_with_a_header_it_stays_refused(tmp_path: Path, mp3: bytes, share: float) -> None:
    with pytest.raises(ValueError, match=r"is cut short: \d+ of the \d+ frames"):
        heard(tmp_path, mp3[: int(share * len(mp3))])


def test_tags_are_no_frames(mp3: bytes) -> None:
    content = headless(mp3)
    frames = scan_mp3(io.BytesIO(content)).frames
    picture = b"ID3\x04\0\0\0\0\x10\0" + b"\xff\xfb\x90\0" * 512  # 2048 bytes that look like frames
    tagged = picture + content + b"TAG" + bytes(125)
    assert scan_mp3(io.BytesIO(tagged)).frames == frames
    assert scan_mp3(io.BytesIO(content + picture + content)).frames == 2 * frames
    assert scan_mp3(io.BytesIO(b"no audio " * 5000)) is None
    assert scan_mp3(io.BytesIO(b"")) is None


def test_parts_of_different_rates_are_refused(tmp_path: Path, mp3: bytes) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(48000), 24000, format="MP3")
    with pytest.raises(ValueError, match="parts of different rates"):
        heard(tmp_path, mp3 + file.getvalue())


@pytest.mark.parametrize(
    ("four", "length", "samples"),
    [
        ("fffb9064", 417, 1152),  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz
        ("fffb9264", 418, 1152),  # padded
        ("fff388c4", 288, 576),  # MPEG 2 layer III, 64 kbit/s, 16 kHz
        ("ffe318c4", 72, 576),  # MPEG 2.5 layer III, 8 kbit/s, 8 kHz
        ("fffda404", 576, 1152),  # MPEG 1 layer II, 192 kbit/s, 48 kHz
        (
            "ffff1204",
            36,
            384,
        ),  # MPEG 1 layer I, 32 kbit/s, 44.1 kHz, padded by a slot of four bytes
    ],
)
def test_lengths_of_frames_as_the_standard_gives_them(four: str, length: int, samples: int) -> None:
    head = read_head(bytes.fromhex(four))
    assert (head.length, head.samples) == (length, samples)


@pytest.mark.parametrize(
    "four", ["00000000", "fffb0064", "fffbf064", "fffb9c64", "ffeb9064", "fff99064"]
)
def test_what_is_no_header(four: str) -> None:
    """Nothing, a bit rate that is not told, none, no rate, no version, no layer."""
    assert read_head(bytes.fromhex(four)) is None
