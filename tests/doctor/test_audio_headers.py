"""Headers of many files: what the doctor calls a problem, and what a remark."""

from pathlib import Path

import numpy as np
import soundfile

from raysed.doctor.audio_headers import judge_audio, judge_silence, read_headers, remark_rates
from raysed.doctor.diagnosis import AudioCheck, Diagnosis, SubsetCheck
from tests.data.banks import write_audio


def test_what_headers_say(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", 1.0)
    write_audio(tmp_path / "b.wav", 3.0, rate_hz=44100, channels=2)
    soundfile.write(tmp_path / "cut.ogg", np.random.default_rng(0).uniform(-0.5, 0.5, 32000), 16000)
    whole = (tmp_path / "cut.ogg").read_bytes()
    (tmp_path / "cut.ogg").write_bytes(whole[: len(whole) * 9 // 10])
    soundfile.write(tmp_path / "d.paf", np.ones(8000) / 9, 8000, format="PAF", subtype="PCM_16")
    check, paths = AudioCheck(), [str(path) for path in sorted(tmp_path.iterdir())]
    durations_s = read_headers(paths, check)
    assert durations_s == {paths[0]: 1.0, paths[1]: 3.0, paths[3]: 1.0}
    assert (check.files, check.stereo, check.doubtful) == (3, 1, 1)
    assert check.rates_hz == {16000: 1, 44100: 1, 8000: 1}
    assert (check.shortest_s, check.longest_s, check.hours) == (1.0, 3.0, 5 / 3600)
    assert check.unreadable == [
        "cut.ogg (is cut short: the page that ends the recording is not there)"
    ]
    found = Diagnosis("x", subsets=[SubsetCheck("weak", "w.tsv", audio=check)])
    judge_audio("weak", check, found)
    remark_rates(found, 16000)
    assert found.problems == [f"weak: 1 files cannot be read: {check.unreadable[0]}"]
    assert [line.split(": ")[1] for line in found.remarks] == [
        "1 files do not say in their header how long they are; a cut would not be seen",
        "2 files are not at 16000 Hz (resampled), 1 not mono (averaged)",
        "1 files are at less than 16000 Hz",
    ]


def test_silent_foregrounds(tmp_path: Path) -> None:
    """From the first sample to the last: what begins or ends with silence is sound."""
    late_T = np.zeros(80000)
    late_T[70000] = 0.1
    for name, wave_T in (("late", late_T), ("silent", np.zeros(80000)), ("none", np.zeros(0))):
        soundfile.write(tmp_path / f"{name}.wav", wave_T, 16000)
    (tmp_path / "text.wav").write_text("no audio")
    found = Diagnosis("x")
    judge_silence("bank", [str(tmp_path / f"{name}.wav") for name in ("late", "text")], found)
    assert found.problems == []
    judge_silence("bank", [str(tmp_path / "silent.wav")] * 7, found)
    (problem,) = found.problems
    assert problem.startswith(
        "bank: 7 silent foregrounds, whose labels would stand for no sound: silent.wav, "
    )
    assert problem.endswith(" … and 2 more")
