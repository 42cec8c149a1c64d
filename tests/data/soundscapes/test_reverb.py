"""Rooms: which there are, who gets which, and convolution against the definition."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.data.soundscapes.reverb import (
    Room,
    Stem,
    choose_room,
    convolve,
    list_rooms,
    reverberate,
)
from tests.data.banks import write_audio


@pytest.mark.parametrize(
    ("length", "taps"), [(16000, 4000), (1000, 4000), (160000, 16000), (50000, 700), (5, 1)]
)
def test_convolution_equals_the_definition(length: int, taps: int) -> None:
    random = np.random.default_rng(length)
    waveform_T, rir_T = random.standard_normal(length), random.standard_normal(taps)
    expected = np.convolve(waveform_T, 10 * rir_T)[:length]
    assert np.abs(convolve(waveform_T, rir_T, length) - expected).max() < 1e-6


def write_rir(path: Path, taps: list[float], rate_hz: int = 16000) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    other_channel = np.ones(len(taps))
    soundfile.write(path, np.stack([taps, other_channel], axis=1), rate_hz, subtype="DOUBLE")
    return str(path)


def test_events_get_their_class_response_and_the_background_its_own(tmp_path: Path) -> None:
    room = Room(
        background=write_rir(tmp_path / "b.wav", [0.1]),
        foreground=(
            write_rir(tmp_path / "f1.wav", [0.2]),
            write_rir(tmp_path / "f2.wav", [0.0, 0.0, 0.3]),
        ),
    )
    one = np.ones(1)
    stems = [Stem("Dog", 2, one), Stem("Cat", 4, one), Stem("Dog", 9, one), Stem("Bird", 5, one)]
    wet_T = reverberate(np.full(10, 7.0), stems, room, 16000)
    # Background x 1; Dog x 2 in place; Cat x 3 two samples later; Bird, the third class, reuses
    # Dog's.
    expected = np.full(10, 7.0)
    expected[[2, 9]] += 2.0
    expected[6] += 3.0
    expected[5] += 2.0
    assert np.allclose(wet_T, expected, atol=1e-9)


def test_tails_ring_on_after_the_event_until_the_end(tmp_path: Path) -> None:
    path = write_rir(tmp_path / "long.wav", [0.1] * 50)
    wet_T = reverberate(np.zeros(20), [Stem("Dog", 15, np.ones(2))], Room(path, (path,)), 16000)
    assert np.allclose(wet_T[:15], 0) and np.allclose(wet_T[15:], [1, 2, 2, 2, 2], atol=1e-9)


def test_fuss_rooms_and_flat_files(tmp_path: Path) -> None:
    fuss = tmp_path / "train" / "rir0_00001"
    for name in ("background0_x.wav", "foreground10_z.wav", "foreground2_y.wav"):
        write_audio(fuss / name, 0.1)
    write_audio(tmp_path / "train" / "rir0_00000" / "background0.wav", 0.1)
    write_audio(tmp_path / "train" / "rir0_00000" / "foreground0.wav", 0.1)
    write_audio(tmp_path / "validation" / "b.flac", 0.1)
    write_audio(tmp_path / "validation" / "a.flac", 0.1)
    (tmp_path / "validation" / "rir.csv").write_text("not audio")
    second = list_rooms(tmp_path, "train")[1]
    assert Path(second.background).name == "background0_x.wav"
    assert [Path(p).name for p in second.foreground] == ["foreground2_y.wav", "foreground10_z.wav"]
    flat = list_rooms(tmp_path, "xvalid")
    assert [Path(room.background).name for room in flat] == ["a.flac", "b.flac"]
    assert all(room.foreground == (room.background,) for room in flat)


def test_faults_of_rooms(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="train: no such folder"):
        list_rooms(tmp_path, "train")
    (tmp_path / "train").mkdir()
    with pytest.raises(ValueError, match="neither"):
        list_rooms(tmp_path, "train")
    write_audio(tmp_path / "train" / "rir1" / "foreground1.wav", 0.1)
    with pytest.raises(ValueError, match=r"rir1: a room needs background"):
        list_rooms(tmp_path, "train")


def test_every_room_is_used_once_in_each_pass() -> None:
    rooms = [Room(str(i), (str(i),)) for i in range(7)]
    passes = [
        [choose_room(rooms, 3, "train", i).background for i in range(start, start + 7)]
        for start in (0, 7, 14)
    ]
    assert all(sorted(one) == sorted(r.background for r in rooms) for one in passes)
    assert passes[0] != passes[1]
    other = [choose_room(rooms, 4, "train", i).background for i in range(7)]
    assert passes[0] != other
