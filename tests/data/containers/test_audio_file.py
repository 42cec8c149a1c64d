"""Every container: a file that was cut is refused by `data` and by `predict`, or the doubt is said."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.data.audio import read_audio
from raysed.data.containers.audio_file import audio_info, in_blocks, open_audio
from raysed.data.stream import Heard, blocks

RATE_HZ = 16000
CONTAINERS = (
    *(("WAV", "PCM_16"), ("WAVEX", "FLOAT"), ("WAV", "IMA_ADPCM"), ("AIFF", "PCM_16")),
    *(("AIFF", "ULAW"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16")),
    *(("W64", "PCM_16"), ("RF64", "PCM_16"), ("NIST", "PCM_16"), ("VOC", "PCM_16")),
    *(("AVR", "PCM_16"), ("SVX", "PCM_16"), ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III")),
    *(("OGG", "VORBIS"), ("OGG", "OPUS")),
)


def encoded(form: str, subtype: str, seconds: float = 3.0, rate_hz: int = RATE_HZ) -> bytes:
    noise_T = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * rate_hz))
    file = io.BytesIO()
    soundfile.write(file, noise_T, rate_hz, format=form, subtype=subtype)
    return file.getvalue()


def heard(path: Path) -> tuple[int, Heard]:
    """What `predict` hears."""
    found = Heard()
    return sum(len(block_T) for block_T in blocks(str(path), RATE_HZ, found)), found


@pytest.mark.parametrize(("form", "subtype"), CONTAINERS)
def test_a_whole_file_is_read_to_its_end(tmp_path: Path, form: str, subtype: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(encoded(form, subtype))
    samples, found = heard(path)
    assert samples == len(read_audio(path, RATE_HZ)[0])
    assert 48000 <= samples < 48000 + 1024 and found.doubt == ""
    info = audio_info(str(path))
    assert info.duration == samples / RATE_HZ and (info.samplerate, info.channels) == (RATE_HZ, 1)


@pytest.mark.parametrize("percent", [30, 60, 90, 98])
@pytest.mark.parametrize(("form", "subtype"), CONTAINERS)
def test_a_cut_file_is_refused(tmp_path: Path, form: str, subtype: str, percent: int) -> None:
    """By `predict`, by `data`, and by the doctor, which decodes nothing."""
    content, path = encoded(form, subtype), tmp_path / "cut"
    path.write_bytes(content[: len(content) * percent // 100])
    for read in (heard, lambda path: read_audio(path, RATE_HZ), lambda path: audio_info(str(path))):
        with pytest.raises(ValueError, match=r"cut short|ends after|cannot be read|no samples"):
            read(path)


@pytest.mark.parametrize("form", ["PAF", "IRCAM"])
def test_where_no_header_tells_the_length_the_doubt_is_said(tmp_path: Path, form: str) -> None:
    content, path = encoded(form, "PCM_16"), tmp_path / "a"
    path.write_bytes(content[: len(content) // 2])
    assert "a cut would not be seen" in heard(path)[1].notes()[0]
    assert "a cut would not be seen" in audio_info(str(path)).doubt


def test_a_streamed_wav_is_read_and_the_doubt_is_said(tmp_path: Path) -> None:
    content, path = encoded("WAV", "PCM_16"), tmp_path / "a.wav"
    path.write_bytes(content[:40] + b"\xff\xff\xff\xff" + content[44:])
    samples, found = heard(path)
    assert samples == 48000 and "a cut would not be seen" in found.doubt


def test_flac_that_does_not_know_its_length_is_refused_with_advice(tmp_path: Path) -> None:
    content, path = bytearray(encoded("FLAC", "PCM_16")), tmp_path / "a.flac"
    content[21] &= 0xF0  # 36 bits of the header: how many samples there are
    content[22:26] = bytes(4)
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"a\.flac: is FLAC without its length .* encode it again"):
        read_audio(path, RATE_HZ)
    with pytest.raises(ValueError, match="is FLAC without its length"):
        heard(path)


@pytest.mark.parametrize(
    ("form", "subtype"), [("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("NIST", "PCM_16")]
)
def test_a_file_object_is_read_as_its_path(tmp_path: Path, form: str, subtype: str) -> None:
    content, path = encoded(form, subtype), tmp_path / "a"
    for part in (content, content + content) if form == "MP3" else (content,):
        path.write_bytes(part)
        with open_audio(path) as one, open_audio(io.BytesIO(part)) as other:
            np.testing.assert_array_equal(one.sound.read(), other.sound.read())
            assert one.told == other.told


@pytest.mark.parametrize("form", ["FLAC", "OGG", "MP3"])
def test_blocks_are_what_one_read_gives(tmp_path: Path, form: str) -> None:
    """A tone as MP3 of variable bit rate, of which soundfile's reads in a row leave silence."""
    tone_T = 0.2 * np.sin(2 * np.pi * 440 / RATE_HZ * np.arange(3 * RATE_HZ))
    rate = {"bitrate_mode": "VARIABLE", "compression_level": 0.5} if form == "MP3" else {}
    soundfile.write(tmp_path / "a", tone_T, RATE_HZ, format=form, **rate)
    whole_TC = soundfile.read(tmp_path / "a", dtype="float32", always_2d=True)[0]
    with open_audio(tmp_path / "a") as file:
        joined_TC = np.concatenate(list(in_blocks(file.sound, 4096)))
    np.testing.assert_allclose(joined_TC, whole_TC, rtol=0, atol=1e-6)


def test_what_the_machine_lacks_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be quarantined for good, and another try may open it."""
    path = tmp_path / "a.wav"
    path.write_bytes(encoded("WAV", "PCM_16"))

    def fail(number: int, why: str) -> None:
        def open_none(self: Path, mode: str = "r") -> None:
            raise OSError(number, why, str(self))

        monkeypatch.setattr(Path, "open", open_none)

    fail(24, "Too many open files")
    with pytest.raises(RuntimeError, match=r"a\.wav: cannot be opened now \(Too many open files\)"):
        read_audio(path, RATE_HZ)
    fail(13, "Permission denied")
    with pytest.raises(ValueError, match=r"a\.wav: cannot be read as audio .*Permission denied"):
        read_audio(path, RATE_HZ)
