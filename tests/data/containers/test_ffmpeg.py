"""What libsndfile does not read is decoded by ffmpeg where it is there, on every road that opens audio, and never in part."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import Features
from raysed.data.audio import read_audio
from raysed.data.containers.audio_file import audio_info, is_silent
from raysed.data.containers.ffmpeg import readable_suffixes
from raysed.data.recorded.annotated import list_annotated
from raysed.data.recorded.desed import RecordedEntry
from raysed.data.recorded.reading import read_recorded
from raysed.data.stream import Heard, blocks
from raysed.doctor.guess import look_at
from raysed.predict.folder_contents import local_contents
from tests.data.containers.test_unread_formats import HEADS

RATE_HZ = 22_050
HEAD = HEADS["MP4 or M4A (AAC, ALAC)"]
STAND_IN = f"""#!{sys.executable}
import sys, wave
source = sys.argv[sys.argv.index("-i") + 1].removeprefix("file:")
asked = " ".join(sys.argv)
assert "-f mov -i" in asked and "-xerror" in asked and "-protocol_whitelist file" in asked, asked
if b"CUT" in open(source, "rb").read():
    sys.exit("[in#0/mov @ 0x5] partial file")
with wave.open(sys.argv[-1].removeprefix("file:"), "wb") as out:
    out.setnchannels(2), out.setsampwidth(2), out.setframerate({RATE_HZ})
    out.writeframes(b"\\0\\x40\\0\\x20" * {RATE_HZ})
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of this name that decodes any file to a second of 0.5 and 0.25, left and right."""
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    place = tmp_path / "audio"
    place.mkdir()
    (place / "take.m4a").write_bytes(HEAD + bytes(4096))
    return place


def test_every_road_reads_it(stand_in: Path) -> None:
    path = stand_in / "take.m4a"
    waveform_T, duration_s = read_audio(path, RATE_HZ)
    assert duration_s == 1.0 and waveform_T.tolist() == [0.375] * RATE_HZ
    content = io.BytesIO(path.read_bytes())
    for source in (str(path), content):
        heard = Heard()
        assert sum(map(len, blocks(source, RATE_HZ, heard))) == RATE_HZ
        assert (heard.rate_hz, heard.doubt) == (RATE_HZ, "")
    info = audio_info(str(path))
    assert (info.samplerate, info.duration, info.channels) == (RATE_HZ, 1.0, 2)
    assert not is_silent(str(path))
    entry = RecordedEntry("take.m4a", "take.m4a", (), ())
    (clip,) = read_recorded(str(stand_in), entry, Features(duration_s=1.0))
    assert clip.is_lower_rate is False and len(clip.waveform_T) == 16_000


def test_every_folder_holds_it(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(stand_in / "other.wav", np.zeros(RATE_HZ), RATE_HZ)
    alone = stand_in / "alone"
    alone.mkdir()
    (alone / "take.m4a").write_bytes((stand_in / "take.m4a").read_bytes())
    assert {".m4a", ".webm", ".wav"} <= {*readable_suffixes()}
    own = AnnotatedSet(kind="annotated", audio=str(stand_in), type="none")
    all_of_them = ["alone/take.m4a", "other.wav", "take.m4a"]
    assert [name for name, _ in local_contents(stand_in).recordings] == all_of_them
    assert [row.filename for row in list_annotated(own)] == all_of_them
    look_at(alone)
    monkeypatch.setattr("raysed.data.containers.ffmpeg.shutil.which", lambda program: None)
    assert [name for name, _ in local_contents(stand_in).recordings] == ["other.wav"]
    assert [row.filename for row in list_annotated(own)] == ["other.wav"]
    with pytest.raises(ValueError, match="holds no audio file that can be read"):
        look_at(alone)


def test_what_ffmpeg_finds_wrong_is_not_read_in_part(stand_in: Path) -> None:
    path = stand_in / "cut.m4a"
    path.write_bytes(HEAD + b"CUT")
    for road in (lambda: read_audio(path, RATE_HZ), lambda: audio_info(str(path))):
        with pytest.raises(
            ValueError,
            match=r"cut\.m4a: is MP4 or M4A .*, cut short or damaged: ffmpeg says: partial file",
        ):
            road()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_the_program_itself(tmp_path: Path) -> None:
    times_s = np.arange(3 * 44_100) / 44_100
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * times_s), 44_100)
    for name, options in (("a.m4a", ()), ("fast.m4a", ("-movflags", "+faststart")), ("a.aac", ())):
        made = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", *options, tmp_path / name]
        subprocess.run(made, check=True, stdin=subprocess.DEVNULL)
        waveform_T, duration_s = read_audio(tmp_path / name, 44_100)
        assert duration_s == pytest.approx(3.0, abs=0.05)
        assert np.sqrt(np.mean(waveform_T**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
        assert bool(audio_info(str(tmp_path / name)).doubt) == (name == "a.aac")
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) * 2 // 3])
        with pytest.raises(ValueError, match="cut short or damaged: ffmpeg says"):
            read_audio(tmp_path / name, 44_100)
