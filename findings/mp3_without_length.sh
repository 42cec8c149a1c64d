#!/usr/bin/env bash
# Versions: soundfile 0.14.0 (its wheel brings libsndfile 1.2.2), miniaudio 1.71, numpy 2.3.5.
# Input: 8.1 s of a 440 Hz tone at 16 kHz, written as MP3 of variable bit rate, without its first frame. That frame
#   (named Xing) holds no sound, only the number of frames. Encoders that write to a pipe or as they record leave such
#   files: a valid MP3 stream that does not say how long it is.
# Expected: the length may be a guess, but whoever reads to the end gets all of the sound and nothing else.
# Observed: libsndfile guesses the length from the first frames, and reading *ends* at the guess: of 8.172 s it gives
#   0.889 s, without an error or a warning. Where the sound begins with silence, the guess is too long; read at once,
#   all is there, but soundfile.blocks goes on to the guessed end and yields 0.72 s more: what its buffer held before.
#   miniaudio reads all of both, and nothing more.
# Seen 2026-11-30:
#   tone                      libsndfile says 0.889 s; read 0.889 s, blocks 0.889 s, miniaudio 8.172 s
#   0.2 s silence, then tone  libsndfile says 8.892 s; read 8.172 s, blocks 8.892 s, miniaudio 8.172 s
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  soundfile==0.14.0 miniaudio==1.71 numpy==2.3.5 cffi==2.1.1 pycparser==3.12 typing_extensions==4.16.0

venv/bin/python - <<'PY'
import sys
from pathlib import Path

import miniaudio
import numpy as np
import soundfile

RATE_HZ = 16_000
SECONDS = np.arange(int(8.1 * RATE_HZ)) / RATE_HZ
TONE = 0.2 * np.sin(2 * np.pi * 440 * SECONDS)


def without_first_frame(sound: np.ndarray) -> str:
    """An MP3 of variable bit rate that begins with its first frame of sound."""
    soundfile.write(
        "whole.mp3", sound, RATE_HZ, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5
    )
    data = Path("whole.mp3").read_bytes()
    assert b"Xing" in data[:40], "the encoder no longer begins with a frame named Xing"
    assert soundfile.info("whole.mp3").frames == len(sound)  # with that frame, all is well
    second = data.index(data[:2], 4)  # the frames of one stream begin with the same two bytes
    Path("bare.mp3").write_bytes(data[second:])
    return "bare.mp3"


def lengths(path: str) -> list[float]:
    said = soundfile.info(path).frames
    at_once = len(soundfile.read(path)[0])
    in_blocks = sum(len(block) for block in soundfile.blocks(path, blocksize=4096))
    other = miniaudio.mp3_read_file_f32(path).num_frames
    return [round(count / RATE_HZ, 3) for count in (said, at_once, in_blocks, other)]


def show(name: str, sound: np.ndarray) -> list[float]:
    found = lengths(without_first_frame(sound))
    said, at_once, in_blocks, other = found
    print(
        f"{name:<25} libsndfile says {said} s; read {at_once} s, blocks {in_blocks} s,"
        f" miniaudio {other} s"
    )
    return found


print("libsndfile", soundfile.__libsndfile_version__)
short = show("tone", TONE)
long = show("0.2 s silence, then tone", np.where(SECONDS < 0.2, 0, TONE))
if short != [0.889, 0.889, 0.889, 8.172] or long != [8.892, 8.172, 8.892, 8.172]:
    sys.exit("changed: not what was seen when this was written")
PY
