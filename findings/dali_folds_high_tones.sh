#!/usr/bin/env bash
# Versions: nvidia-dali-cuda130 2.4.0 on the CPU, soxr 1.1.0, soundfile 0.14.0, numpy 2.3.5. No GPU is needed.
# Input: WAV files of 4 s at 44.1 kHz, a tone or white noise, brought to 16 kHz as features want them: by DALI's decoder
#   (`decoders.audio` with `sample_rate`) and by its `audio_resample`, at the default quality of 50 and at 100, and by soxr.
# Expected: what lies above 8 kHz is gone, a little more or less of it near 8 kHz, and the quality decides how well.
# Observed: DALI takes nothing away. A tone of 15 kHz comes out at 1 kHz, just as loud, at either quality; white noise keeps its
#   power (soxr takes 4.6 dB: 64 % of its band is above 8 kHz). The quality is the number of lobes of a sinc that stays
#   as wide as the input's samples; a resampler that goes down has to stretch it. Going up, or with sounds that hold nothing above
#   the new limit, all is well, so speech does not show it and cymbals, alarms and running water do. Whoever decodes by DALI for
#   training and by soxr or librosa for prediction has two kinds of features.
# Seen 2026-12-01 (level in dB against the input, and the strongest frequency):
#   tone 1000 Hz   DALI   -0.0 at  1000 Hz   soxr   -0.0 at  1000 Hz
#   tone 9000 Hz   DALI   -0.0 at  7000 Hz   soxr below -100
#   tone 15000 Hz  DALI   -0.0 at  1000 Hz   soxr below -100
#   white noise    DALI   -0.1               soxr   -4.6
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  nvidia-dali-cuda130==2.4.0 numpy==2.3.5 soxr==1.1.0 soundfile==0.14.0 cffi==2.1.1 pycparser==3.12 \
  typing_extensions==4.16.0 astunparse==1.6.3 six==1.17.0 wheel==0.48.0 gast==0.7.0 optree==0.20.0 makefun==1.16.0 \
  packaging==26.3 nvtx==0.2.17

venv/bin/python -W ignore - <<'PY'
import sys

import numpy as np
import soundfile
import soxr
from nvidia.dali import fn, pipeline_def, types

FROM_HZ, TO_HZ = 44_100, 16_000
TIME_S = np.arange(4 * FROM_HZ) / FROM_HZ
TONES_HZ = (1000, 9000, 15_000)


def by_dali(path: str) -> list[np.ndarray]:
    """The file at 16 kHz by both operators, each at the default quality and at the best."""

    @pipeline_def(batch_size=1, num_threads=1, device_id=None)
    def pipeline():
        content = fn.external_source(
            source=lambda: [np.fromfile(path, np.uint8)], dtype=types.UINT8, ndim=1
        )
        as_it_is, _ = fn.decoders.audio(content, dtype=types.FLOAT)
        made = []
        for quality in (50.0, 100.0):
            decoded, _ = fn.decoders.audio(
                content, dtype=types.FLOAT, sample_rate=float(TO_HZ), quality=quality
            )
            resampled = fn.audio_resample(
                as_it_is, in_rate=FROM_HZ, out_rate=TO_HZ, quality=quality
            )
            made += [decoded, resampled]
        return tuple(made)

    built = pipeline()
    built.build()
    return [np.array(output[0]).reshape(-1) for output in built.run()]


def level_db(made_T: np.ndarray, given_T: np.ndarray) -> float:
    middle_T = made_T[2000:-2000].astype(np.float64)
    return float(10 * np.log10(np.mean(middle_T**2) / np.mean(given_T**2) + 1e-14))


def strongest_hz(made_T: np.ndarray) -> int:
    spectrum = np.abs(np.fft.rfft(made_T * np.hanning(len(made_T))))
    return round(float(np.argmax(spectrum)) * TO_HZ / len(made_T))


sounds = {f"tone {hz} Hz": 0.5 * np.sin(2 * np.pi * hz * TIME_S) for hz in TONES_HZ}
sounds["white noise"] = np.random.default_rng(0).normal(0, 0.1, len(TIME_S))
folded = True
for name, given_T in sounds.items():
    soundfile.write("sound.wav", given_T, FROM_HZ, subtype="FLOAT")
    made = by_dali("sound.wav")
    levels_db = [level_db(made_T, given_T) for made_T in made]
    soxr_T = soxr.resample(given_T, FROM_HZ, TO_HZ, quality="HQ")
    soxr_db = level_db(soxr_T, given_T)
    line = f"{name:<14} DALI {np.mean(levels_db):+6.1f}"
    heard_hz = {strongest_hz(made_T) for made_T in made}
    if name != "white noise":
        line += f" at {max(heard_hz):5} Hz"
        hz = int(name.split()[1])
        folded &= heard_hz == {hz if hz < TO_HZ / 2 else TO_HZ - hz}
        line += "   soxr below -100" if soxr_db < -100 else f"   soxr {soxr_db:+6.1f} at {strongest_hz(soxr_T):5} Hz"
    else:
        line += f"               soxr {soxr_db:+6.1f}"
        folded &= soxr_db < -4
    folded &= max(map(abs, levels_db)) < 0.2
    print(line)
if not folded:
    sys.exit("changed: DALI no longer keeps all that is above half the new rate, or soxr does")
PY
