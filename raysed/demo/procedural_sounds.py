"""Ten synthetic sound classes with varied parameters, for a sound bank that needs no download.

Each generator draws one sound of 0.4 to 4 s at 16 kHz: not realistic, but recognisable by ear and
on a mel spectrogram, and different at every draw. About 2 ms a sound.
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

SAMPLE_RATE_HZ = 16000

_NYQUIST_HZ = SAMPLE_RATE_HZ / 2
Random = np.random.Generator


def alarm_bell_ringing(random: Random) -> np.ndarray:
    """Draw electronic beeps, often in two alternating pitches."""
    low_hz = random.uniform(1700, 3200)
    pitches = (low_hz, low_hz * random.choice([1.0, 1.25, 1.33]))
    beep_s, pause_s = random.uniform(0.09, 0.18), random.uniform(0.04, 0.1)
    beeps = []
    for i in range(random.integers(5, 13)):
        beep = _harmonics(_steady(pitches[i % 2], beep_s), [1.0, 0.35, 0.15], random)
        beeps += [_shaped(beep, 0.004, 0.006), _silence(pause_s)]
    return np.concatenate(beeps[:-1])


def blender(random: Random) -> np.ndarray:
    """Draw a motor that spins up, with a rich whine, bright noise and the beat of its blades."""
    seconds = random.uniform(1.5, 4.0)
    time = _time(seconds)
    pitch_hz = random.uniform(340, 520) * (1 - 0.3 * np.exp(-time / 0.12))
    whine = _unit(_harmonics(pitch_hz, 0.88 ** np.arange(14), random))
    noise = _unit(_band(_noise(seconds, random), 1500, 6500))
    beat = 1 + 0.45 * np.sin(2 * np.pi * random.uniform(8, 14) * time)
    return _shaped((whine + 0.7 * noise) * beat, 0.08, 0.1)


def cat(random: Random) -> np.ndarray:
    """Draw a meow: one harmonic glide up and down, loudest in the middle."""
    seconds = random.uniform(0.5, 1.1)
    phase = np.linspace(0, 1, int(seconds * SAMPLE_RATE_HZ))
    pitch_hz = random.uniform(430, 650) * (
        1 + random.uniform(0.5, 0.8) * np.sin(np.pi * phase**0.7)
    )
    voice = _harmonics(pitch_hz, [0.6, 1.0, 0.8, 0.5, 0.3, 0.2, 0.1], random)
    return _shaped(voice * np.sin(np.pi * phase) ** 0.5, 0.05, 0.12)


def dishes(random: Random) -> np.ndarray:
    """Draw clinks: short bursts of inharmonic partials that decay quickly."""
    clinks = random.integers(4, 9)
    sound = np.zeros(int((0.17 * clinks + 0.3) * SAMPLE_RATE_HZ))
    time = _time(0.25)
    for i in range(clinks):
        pitches_hz, decays_s = random.uniform(2300, 7400, 6), random.uniform(0.015, 0.06, 6)
        partials = np.sin(2 * np.pi * pitches_hz[:, None] * time) * np.exp(
            -time / decays_s[:, None]
        )
        clink = partials.sum(axis=0)
        clink[:32] += 2 * random.standard_normal(32)
        start = int((0.17 * i + random.uniform(0, 0.07)) * SAMPLE_RATE_HZ)
        sound[start : start + len(clink)] += random.uniform(0.5, 1.0) * clink
    return _shaped(sound, 0.001, 0.05)


def dog(random: Random) -> np.ndarray:
    """Draw two to four barks: a falling pitch with rough noise on it."""
    pitch_hz = random.uniform(280, 600)
    barks = []
    for _ in range(random.integers(2, 5)):
        seconds = random.uniform(0.15, 0.25)
        fall = np.linspace(0, 1, int(seconds * SAMPLE_RATE_HZ))
        tone = _unit(_harmonics(pitch_hz * (1.25 - 0.55 * fall), 0.8 ** np.arange(8), random))
        rough = _unit(_band(_noise(seconds, random), 400, 2600))
        barks += [
            (tone + 0.8 * rough) * np.sin(np.pi * fall**0.5),
            _silence(random.uniform(0.06, 0.14)),
        ]
    return np.concatenate(barks[:-1])


def electric_shaver_toothbrush(random: Random) -> np.ndarray:
    """Draw a buzz: fifty even harmonics of a low, steady pitch."""
    seconds = random.uniform(1.5, 4.0)
    wobble = 1 + 0.006 * np.sin(2 * np.pi * random.uniform(0.3, 1.5) * _time(seconds))
    buzz = _unit(_harmonics(random.uniform(100, 145) * wobble, 0.985 ** np.arange(52), random))
    return _shaped(buzz + 0.15 * _unit(_band(_noise(seconds, random), 3000, 7500)), 0.05, 0.05)


def frying(random: Random) -> np.ndarray:
    """Draw a high hiss with dense crackle."""
    seconds = random.uniform(1.5, 4.0)
    hiss = _unit(_band(_noise(seconds, random), 3500, 7800))
    pops = np.zeros_like(hiss)
    where = random.integers(0, len(pops), int(seconds * random.uniform(50, 110)))
    pops[where] = random.standard_normal(len(where))
    return _shaped(hiss + 1.5 * _unit(_band(pops, 2200, 7600)), 0.08, 0.08)


def running_water(random: Random) -> np.ndarray:
    """Draw broad noise of the middle bands that rises and falls, with bubbling tones."""
    seconds = random.uniform(1.5, 4.0)
    stream = _unit(
        _band(_noise(seconds, random), random.uniform(300, 600), random.uniform(3500, 5500))
    )
    knots = random.standard_normal(max(4, int(4 * seconds)))
    swell = 1 + 0.3 * np.interp(_time(seconds), np.linspace(0, seconds, len(knots)), knots)
    bubbles = np.zeros_like(stream)
    time = _time(0.03)
    for start in random.integers(0, len(stream) - len(time), int(12 * seconds)):
        hz = random.uniform(500, 1400)
        bubbles[start : start + len(time)] += np.sin(
            2 * np.pi * (hz + 6000 * time) * time
        ) * np.hanning(len(time))
    return _shaped(stream * swell + bubbles, 0.08, 0.08)


def speech(random: Random) -> np.ndarray:
    """Draw syllables: glottal pulses through three formants, sometimes a fricative."""
    voice_hz = random.choice([random.uniform(90, 140), random.uniform(170, 250)])
    parts = []
    for _ in range(random.integers(3, 10)):
        phase = np.linspace(0, 1, int(random.uniform(0.1, 0.22) * SAMPLE_RATE_HZ))
        pitch_hz = voice_hz * (1 + 0.15 * np.sin(2 * np.pi * random.uniform(0.3, 0.8) * phase))
        pulses = np.diff(np.floor(np.cumsum(pitch_hz) / SAMPLE_RATE_HZ), prepend=0)
        formants = ((300, 800, 80, 1.0), (900, 2200, 120, 0.6), (2400, 3200, 180, 0.3))
        vowel = np.zeros_like(pulses)
        for low, high, width, level in formants:
            vowel += level * _resonance(pulses, random.uniform(low, high), width)
        parts.append(_shaped(vowel / (np.abs(vowel).max() + 1e-9), 0.02, 0.04))
        if random.random() < 0.4:
            hiss = _band(_noise(random.uniform(0.04, 0.08), random), 3000, 7000)
            parts.append(0.15 * _shaped(_unit(hiss), 0.01, 0.01))
        parts.append(_silence(random.uniform(0.01, 0.05)))
    return np.concatenate(parts[:-1])


def vacuum_cleaner(random: Random) -> np.ndarray:
    """Draw a low hum under a steady roar of the lower bands."""
    seconds = random.uniform(2.0, 4.0)
    time = _time(seconds)
    pitch_hz = random.uniform(180, 270) * (1 - 0.2 * np.exp(-time / 0.3))
    hum = _unit(_harmonics(pitch_hz, [1.0, 0.6, 0.36, 0.2], random))
    return _shaped(0.8 * hum + 1.2 * _unit(_band(_noise(seconds, random), 150, 2400)), 0.1, 0.1)


SOUNDS: dict[str, Callable[[Random], np.ndarray]] = {
    "Alarm_bell_ringing": alarm_bell_ringing,
    "Blender": blender,
    "Cat": cat,
    "Dishes": dishes,
    "Dog": dog,
    "Electric_shaver_toothbrush": electric_shaver_toothbrush,
    "Frying": frying,
    "Running_water": running_water,
    "Speech": speech,
    "Vacuum_cleaner": vacuum_cleaner,
}
"""Generator of each class of DESED."""


def background(random: Random, seconds: float) -> np.ndarray:
    """Draw a quiet room: low rumble, some hiss, perhaps the hum of the mains."""
    noise = _noise(seconds, random)
    rumble = _unit(_band(np.cumsum(noise), 40, 2000))
    hum = np.sin(2 * np.pi * 50 * _time(seconds))
    return (
        rumble + random.uniform(0.05, 0.3) * _noise(seconds, random) + random.uniform(0, 0.4) * hum
    )


def room_response(random: Random) -> np.ndarray:
    """Draw an impulse response: the direct sound, then exponentially decaying noise (T60 0.15 to 0.45 s)."""
    samples = int(random.uniform(0.15, 0.45) * SAMPLE_RATE_HZ)
    tail = random.standard_normal(samples) * np.exp(-6.9 * np.arange(samples) / samples)
    response = random.uniform(0.05, 0.15) * tail
    response[0] = 1.0
    return response


def _time(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _steady(hz: float, seconds: float) -> np.ndarray:
    return np.full(int(seconds * SAMPLE_RATE_HZ), hz)


def _silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * SAMPLE_RATE_HZ))


def _noise(seconds: float, random: Random) -> np.ndarray:
    return random.standard_normal(int(seconds * SAMPLE_RATE_HZ))


def _unit(waveform_T: np.ndarray) -> np.ndarray:
    """Scale to a standard deviation of 1."""
    return waveform_T / (waveform_T.std() + 1e-12)


def _harmonics(pitch_T: np.ndarray, levels: np.ndarray | list[float], random: Random) -> np.ndarray:
    """Return a sum of harmonics of a gliding pitch in Hz, in random phases; those above Nyquist are left out."""
    phases = random.uniform(0, 2 * np.pi, len(levels))
    fit = int(np.ceil(0.97 * _NYQUIST_HZ / pitch_T.max())) - 1
    # Harmonic n is the imaginary part of weight n times turn**n: a polynomial costs one sine for all of them.
    weights = (np.asarray(levels) * np.exp(1j * phases))[:fit]
    turn_T = np.exp(2j * np.pi * np.cumsum(pitch_T) / SAMPLE_RATE_HZ)
    sound_T = np.zeros_like(turn_T)
    for weight in weights[::-1]:
        sound_T += weight
        sound_T *= turn_T
    return sound_T.imag


def _band(waveform_T: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    sections = butter(2, [low_hz, high_hz], "band", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(sections, waveform_T))


def _resonance(waveform_T: np.ndarray, hz: float, width_hz: float) -> np.ndarray:
    radius = np.exp(-np.pi * width_hz / SAMPLE_RATE_HZ)
    poles = [1, -2 * radius * np.cos(2 * np.pi * hz / SAMPLE_RATE_HZ), radius**2]
    return np.asarray(lfilter([1 - radius], poles, waveform_T))


def _shaped(waveform_T: np.ndarray, rise_s: float, fall_s: float) -> np.ndarray:
    """Apply a linear rise and fall."""
    position = np.arange(len(waveform_T)) + 1
    rise, fall = rise_s * SAMPLE_RATE_HZ, fall_s * SAMPLE_RATE_HZ
    return waveform_T * np.clip(position / rise, 0, 1) * np.clip(position[::-1] / fall, 0, 1)
