"""Soundscapes: equal to Scaper's audio, the same bytes anywhere, and labels that hold what they
promise.
"""

import hashlib
import json
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.data_job import DataJob, Roots, SyntheticSet
from raysed.data.clip import Clip
from raysed.data.labels import count_overlaps
from raysed.data.soundscapes.rendering import render_stems
from raysed.data.soundscapes.soundscape import (
    SoundscapeContext,
    make_soundscape,
    soundscape_count,
    specify,
)
from raysed.data.soundscapes.sox_effects import convert
from tests.data.banks import edge_job, tiny_job, write_edge_bank
from tests.paths import MINI_DESED, ROOT


@pytest.fixture(scope="module")
def edge_roots(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    return write_edge_bank(tmp_path_factory.mktemp("edge"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> DataJob:
    return tiny_job(tmp_path_factory.mktemp("tiny") / "tree")


def context_of(job: DataJob, name: str = "soundscapes") -> SoundscapeContext:
    return SoundscapeContext.from_job(job, name)


def by_scaper(context: SoundscapeContext, specification: list) -> np.ndarray:
    """The published path: Scaper renders an annotation of the instantiated specification."""
    import jams
    import scaper

    scape = scaper.Scaper(
        context.duration_s, context.soundbank.foreground_root, context.soundbank.background_root
    )
    scape.sr = context.sample_rate_hz
    scape.ref_db = context.data_set.ref_db  # type: ignore[assignment]
    annotation = jams.Annotation(namespace="scaper")
    annotation.sandbox.scaper = jams.Sandbox()
    for event in specification:
        annotation.append(
            time=event.event_time,
            duration=event.event_duration,
            value=event._asdict(),
            confidence=1.0,
        )
    return scape._generate_audio(None, annotation)[0][:, 0]


def by_us(context: SoundscapeContext, specification: list) -> np.ndarray:
    mix_T, stems = render_stems(
        specification[0],
        specification[1:],
        sample_rate_hz=context.sample_rate_hz,
        duration_s=context.duration_s,
        ref_db=context.data_set.ref_db,
        convert=convert,
    )
    for stem in stems:
        mix_T[stem.start : stem.start + len(stem.waveform_T)] += stem.waveform_T
    return mix_T


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_audio_equals_scapers(edge_roots: Roots, shift: float) -> None:
    context = context_of(edge_job(edge_roots, count=60, pitch_shift_semitones=shift))
    heard, errors = set(), []
    for index in range(soundscape_count(context)):
        specification = specify(context, index)
        heard |= {Path(event.source_file).parent.name for event in specification}
        heard |= {Path(event.source_file).stem for event in specification}
        expected = by_scaper(context, specification)
        errors.append(np.abs(by_us(context, specification) - expected).max())
    assert len(errors) == 60 and max(errors) < 1e-9
    assert heard >= {"Frying", "Frying_nOn", "Frying_nOff", "Frying_nOn_nOff"}
    assert heard >= {"short_0", "stereo_0", "verylong_0"}


@pytest.mark.parametrize("shift", [-3.0, 3.0])
def test_audio_equals_scapers_at_the_ends_of_the_pitch_range(
    edge_roots: Roots, shift: float
) -> None:
    context = context_of(edge_job(edge_roots))
    for index in (0, 15):
        background, *events = specify(context, index)
        specification = [background, *(event._replace(pitch_shift=shift) for event in events)]
        difference = by_us(context, specification) - by_scaper(context, specification)
        assert np.abs(difference).max() < 1e-9


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_audio_equals_scapers_from_sources_of_any_format(tmp_path: Path, subtype: str) -> None:
    roots = write_edge_bank(tmp_path, validation_folder=False)
    for path in tmp_path.rglob("*.wav"):
        audio_TC, rate_hz = soundfile.read(path, always_2d=True)
        soundfile.write(path, audio_TC / 3, rate_hz, subtype=subtype)
    context = context_of(edge_job(roots, pitch_shift_semitones=0.0))
    for index in (0, 7, 14):
        specification = specify(context, index)
        difference = by_us(context, specification) - by_scaper(context, specification)
        # The rounding of FLOAT and DOUBLE to 32-bit integers is 1e-12 here.
        assert np.abs(difference).max() < 1e-14


def digests(context: SoundscapeContext, indices: range | list[int]) -> dict[int, str]:
    def digest(clip: Clip | None) -> str:
        if clip is None:
            return "dropped"
        text = f"{clip.filename}{clip.events}{clip.weak_labels}{clip.duration_s}{clip.source}"
        return hashlib.sha256(clip.waveform_T.tobytes() + text.encode()).hexdigest()

    return {index: digest(make_soundscape(context, index)) for index in indices}


@pytest.mark.parametrize("name", ["pitch", "rir", "sox", "xvalid"])
def test_a_soundscape_depends_on_its_index_alone(tiny: DataJob, name: str) -> None:
    context = context_of(tiny, name)
    forward = digests(context, range(12))
    assert digests(context, list(reversed(range(12)))) == forward
    assert len({d for d in forward.values() if d != "dropped"}) > 5


@pytest.mark.slow
def test_another_process_makes_the_same_bytes(tiny: DataJob, tmp_path: Path) -> None:
    context = context_of(tiny, "rir")
    (tmp_path / "context").write_bytes(pickle.dumps(context))
    program = (
        "import pickle, sys, json; from tests.data.soundscapes.test_soundscape import digests;"
        "context = pickle.load(open(sys.argv[1], 'rb'));"
        "print(json.dumps(digests(context, [7, 3, 5, 4])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "context")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    other = {int(index): digest for index, digest in json.loads(done.stdout).items()}
    assert other == digests(context, [3, 4, 5, 7])
    # No complaint about a missing sox program either.
    assert done.stderr == ""


def test_pitch_and_reverberation_change_nothing_else(tiny: DataJob) -> None:
    plain, pitch, rir = (context_of(tiny, name) for name in ("plain", "pitch", "rir"))
    for index in range(soundscape_count(plain)):
        off, on, wet = (specify(context, index) for context in (plain, pitch, rir))
        assert [event._replace(pitch_shift=None) for event in on] == off
        assert wet == on
        shifts = [event.pitch_shift for event in on[1:]]
        assert all(-3 <= shift <= 3 for shift in shifts) and len(set(shifts)) == len(shifts)
        clips = [make_soundscape(context, index) for context in (plain, pitch, rir)]
        assert len({None if clip is None else clip.events for clip in clips}) == 1
        if clips[0] is not None:
            assert not np.array_equal(clips[1].waveform_T, clips[0].waveform_T)
            assert not np.array_equal(clips[2].waveform_T, clips[1].waveform_T)


def test_soundscapes_are_what_they_promise(tiny: DataJob) -> None:
    context = context_of(tiny, "pitch")
    made = [make_soundscape(context, index) for index in range(soundscape_count(context))]
    clips = [clip for clip in made if clip is not None]
    assert len(made) > len(clips) > 0
    assert len({clip.filename for clip in clips}) == len(clips)
    for clip in clips:
        assert clip.waveform_T.shape == (80000,) and clip.waveform_T.dtype == np.float32
        assert clip.duration_s == 5.0 and clip.events is not None
        assert clip.weak_labels == tuple(sorted({e.event_label for e in clip.events}))
        assert count_overlaps(clip.events) == 0
        for event in clip.events:
            assert event.onset >= 0 and event.offset <= 5.0
            assert event.offset - event.onset >= 0.25 - 1e-9


def test_more_polyphony_keeps_more(tiny: DataJob) -> None:
    def kept(polyphony: int) -> int:
        old = tiny.sets["plain"]
        job = tiny.model_copy(
            update={"sets": {"s": old.model_copy(update={"max_polyphony": polyphony})}}
        )
        context = context_of(job, "s")
        return sum(
            make_soundscape(context, i) is not None for i in range(soundscape_count(context))
        )

    assert kept(1) < kept(2) < kept(9) == 20


def test_other_seeds_and_splits_differ(tiny: DataJob) -> None:
    context = context_of(tiny, "plain")
    reseeded = tiny.sets["plain"].model_copy(update={"seed": 4})
    other = context_of(tiny.model_copy(update={"sets": {"s": reseeded}}), "s")
    assert all(specify(context, i) != specify(other, i) for i in range(5))


def test_counts_follow_the_probabilities(edge_roots: Roots) -> None:
    context = context_of(edge_job(edge_roots))
    assert soundscape_count(context) == 30
    labels = [specify(context, index)[1].label for index in range(30)]
    counts = zip(context.cooccurrences, (6, 6, 6, 6, 3, 3), strict=True)
    assert labels == [row.label for row, count in counts for _ in range(count)]


def test_sources_of_x_valid_are_its_own(tiny: DataJob) -> None:
    train, xvalid = context_of(tiny, "plain"), context_of(tiny, "xvalid")
    heard = [
        {e.source_file for i in range(20) for e in specify(context, i)}
        for context in (train, xvalid)
    ]
    assert not heard[0] & heard[1]


def test_an_unreadable_source_is_named(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path)
    context = context_of(edge_job(roots))
    source = Path(specify(context, 0)[1].source_file)
    source.write_bytes(source.read_bytes()[:20])
    with pytest.raises(ValueError, match=source.name):
        for index in range(30):
            make_soundscape(context, index)


def test_no_warnings_reach_the_user(tiny: DataJob) -> None:
    context = context_of(tiny, "pitch")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for index in range(10):
            make_soundscape(context, index)


@pytest.mark.skipif(not MINI_DESED.is_dir(), reason="no mini-DESED here")
def test_mini_desed() -> None:
    roots = Roots(
        soundbank=str(MINI_DESED / "soundbank"),
        rir=str(MINI_DESED / "rir"),
        cooccurrences=str(MINI_DESED / "metadata" / "event_occurences"),
    )
    for split in ("train", "xvalid", "eval"):
        data_set = SyntheticSet(kind="synthetic", split=split, count=20, reverb="rir")
        context = context_of(
            DataJob(name="m", out="unused", roots=roots, sets={"s": data_set}), "s"
        )
        clips = [make_soundscape(context, i) for i in range(soundscape_count(context))]
        assert sum(clip is not None for clip in clips) >= 3
        assert all(np.isfinite(clip.waveform_T).all() for clip in clips if clip)
