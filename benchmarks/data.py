"""`python -m benchmarks.data`: soundscapes and their reverberation against the published path, on one core.

Soundscapes against Scaper writing wav, JAMS, txt and isolated events; reverberation against np.convolve; two
Ray workers against one. About 4 minutes. (Mel bands: benchmarks/mel.py.)
The sound bank is mini-DESED (decoded to wav, as DESED is) where it lies beside the project, else the
built-in procedural one.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any
from unittest.mock import patch

import numpy as np
import soundfile
import typer

from benchmarks.common import Row, document, idle_share, one_core, paired, publish, row
from benchmarks.published import convolved, published_soundscape
from benchmarks.step_parts import Clock
from raysed.config.data_job import DataJob, Roots, SyntheticSet
from raysed.data.audio import AUDIO_EXTENSIONS
from raysed.data.clip import Event
from raysed.data.labels import max_polyphony
from raysed.data.soundscapes import reverb, soundscape, sox_effects
from raysed.data.soundscapes.soundscape import (
    SoundscapeContext,
    make_soundscape,
    soundscape_count,
    specify,
)
from raysed.demo.procedural import DemoSizes, write_demo_tree

MINI_DESED = Path(__file__).resolve().parents[2] / "shared" / "data" / "mini_desed"
BLOCK = 6
"""Number of soundscapes or clips in one pair."""
RIR_PAIRS = 5
SHARES = {"specify": "Scaper's instantiation", "_resampled": "SoX's resampling"}
"""Names of the parts whose time is a soundscape's floor."""
WARM_UP = 6
"""Number of blocks of soundscapes before the first that counts, after which the decoded sources are in
memory."""


def bank_roots(folder: Path) -> tuple[Roots, str]:
    """Make a sound bank of wav files in `folder`; return its roots and its name."""
    if not MINI_DESED.is_dir():
        sizes = DemoSizes(weak=1, unlabelled=1, validation=1, duration_s=10.0)
        return write_demo_tree(folder / "tree", sizes=sizes), "procedural"
    for source in sorted(MINI_DESED.rglob("*")):
        inside = source.relative_to(MINI_DESED)
        if inside.parts[0] in ("soundbank", "rir") and source.suffix in AUDIO_EXTENSIONS:
            wav = (folder / inside).with_suffix(".wav")
            wav.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(wav, *soundfile.read(source), subtype="PCM_16")
    cooccurrences = str(MINI_DESED / "metadata" / "event_occurences")
    roots = Roots(
        soundbank=str(folder / "soundbank"), rir=str(folder / "rir"), cooccurrences=cooccurrences
    )
    return roots, "mini-DESED as wav"


def job_of(roots: Roots, out: str = "unused", **changes: object) -> DataJob:
    """Return a job of one synthetic training set."""
    fields: dict[str, Any] = {"kind": "synthetic", "split": "train", "count": 400, **changes}
    return DataJob(name="bench", out=out, roots=roots, sets={"s": SyntheticSet(**fields)})


def shuffled(context: SoundscapeContext) -> Iterator[int]:
    """Return raw indices in an order that mixes the labels."""
    return iter(np.random.default_rng(0).permutation(soundscape_count(context)).tolist())


def kept_blocks(context: SoundscapeContext, blocks: int) -> list[list[int]]:
    """Return blocks of indices that survive the polyphony filter, so that both sides render all of them."""

    def survives(index: int) -> bool:
        events = specify(context, index)[1:]
        spans = [Event(e.event_time, e.event_time + e.event_duration, e.label) for e in events]
        return max_polyphony(spans) <= context.data_set.max_polyphony

    kept = [index for index in shuffled(context) if survives(index)]
    assert len(kept) >= blocks * BLOCK, (len(kept), blocks)
    return [kept[n * BLOCK : (n + 1) * BLOCK] for n in range(blocks)]


def raw_blocks(context: SoundscapeContext, blocks: int) -> list[list[int]]:
    """Return blocks of all indices."""
    raw = list(shuffled(context))
    return [raw[n * BLOCK : (n + 1) * BLOCK] for n in range(blocks)]


def soundscapes(roots: Roots, scratch: Path, pairs: int) -> list[Row]:
    """Measure soundscapes per CPU second, without and with pitch shift.

    One measurement has soundscapes that both sides render. The other has all that are asked for, of which the
    published path also renders those that the polyphony filter drops afterwards.
    """
    rows = []
    for shift, pitch in ((0.0, "without pitch shift"), (3.0, "with pitch shift")):
        floor = (soundscape, "specify")
        if shift:
            floor = (sox_effects, "_resampled")
        context = SoundscapeContext.from_job(job_of(roots, pitch_shift_semitones=shift), "s")
        for choose, which in ((kept_blocks, "kept ones"), (raw_blocks, "all asked for")):
            blocks = choose(context, pairs + WARM_UP)
            folder, made = scratch / "published", {}
            times = paired(
                partial(_ours, context, blocks, made),
                partial(_published, context, blocks, folder),
                pairs=pairs,
                warm_up=WARM_UP,
            )
            last = {i: made[i] for i in blocks[-1] if i in made}
            # Scaper's file clips what is too loud.
            errors = [
                np.abs(soundfile.read(folder / f"{i}.wav")[0] - last[i].clip(-1, 1)).max()
                for i in last
            ]
            shutil.rmtree(folder)
            rows.append(
                row(
                    f"soundscapes {pitch}, {which}",
                    "Scaper writing wav, JAMS, txt and isolated events",
                    times,
                    items=BLOCK,
                    unit="soundscapes/s",
                    error=float(max(errors)),
                    limit=f"{SHARES[floor[1]]}; then loudness",
                    floor_s=floor_s(context, blocks[WARM_UP:], *floor) / pairs,
                )
            )
    return rows


def floor_s(
    context: SoundscapeContext, blocks: list[list[int]], module: ModuleType, function: str
) -> float:
    """Return the CPU seconds inside one function of a module while the blocks are made."""
    clock = Clock()
    timed = clock.timed(getattr(module, function), function)
    with patch.object(module, function, timed):
        for n in range(len(blocks)):
            _ours(context, blocks, {}, n)
    return clock.seconds[function]


def _ours(
    context: SoundscapeContext, blocks: list[list[int]], made: dict[int, np.ndarray], n: int
) -> None:
    for index in blocks[n]:
        clip = make_soundscape(context, index)
        if clip is not None:
            made[index] = clip.waveform_T


def _published(context: SoundscapeContext, blocks: list[list[int]], folder: Path, n: int) -> None:
    folder.mkdir(exist_ok=True)
    for index in blocks[n]:
        published_soundscape(context, index, folder)


def rirs(scratch: Path, pairs: int) -> list[Row]:
    """Measure soundscapes reverberated per CPU second: background and five events of a 10 s clip."""
    random = np.random.default_rng(0)
    length, rate_hz = 160_000, 16_000
    background_T = 0.01 * random.standard_normal(length)
    starts_s, seconds = (0.5, 2.0, 3.5, 5.0, 7.5), (1.0, 2.5, 0.4, 3.0, 2.0)
    stems = [
        reverb.Stem(f"class{n}", round(s * rate_hz), random.standard_normal(round(d * rate_hz)))
        for n, (s, d) in enumerate(zip(starts_s, seconds, strict=True))
    ]
    tracks = [background_T]
    for stem in stems:
        tracks.append(np.zeros(length))
        tracks[-1][stem.start : stem.start + len(stem.waveform_T)] = stem.waveform_T
    rows = []
    for taps in (4_000, 16_000):
        decay = np.exp(-6.9 * np.arange(taps) / taps)
        responses = [0.01 * random.standard_normal(taps) * decay for _ in range(6)]
        room = _write_room(scratch / str(taps), responses, rate_hz)

        ours = partial(reverb.reverberate, background_T, stems, room, rate_hz)
        published = partial(convolved, tracks, responses)
        times = paired(lambda _, o=ours: o(), lambda _, p=published: p(), pairs=pairs)
        rows.append(
            row(
                f"reverberation, {taps:,} taps",
                "np.convolve of six 10 s tracks",
                times,
                items=1,
                unit="soundscapes/s",
                error=float(np.abs(ours() - published()).max()),
                limit="the FFTs of the event regions and reading the responses",
            )
        )
    return rows


def _write_room(folder: Path, responses: list[np.ndarray], rate_hz: int) -> reverb.Room:
    folder.mkdir(parents=True)
    paths = [str(folder / f"{n}.wav") for n in range(len(responses))]
    for path, response_T in zip(paths, responses, strict=True):
        soundfile.write(path, response_T, rate_hz, subtype="DOUBLE")
    return reverb.Room(paths[0], tuple(paths[1:]))


def run_parts(parts: dict[str, Callable[[], list[Row]]], only: str | None) -> list[Row]:
    """Return the rows of the named part, or of all; each part except Ray's runs on one core."""
    if only is not None and only not in parts:
        raise typer.BadParameter(f"{only}: the parts are {', '.join(parts)}")
    rows = []
    for name, part in parts.items():
        if only in (None, name):
            if name != "workers":
                one_core()
            rows += part()
    return rows


def main(
    only: Annotated[str | None, typer.Option(help="soundscapes, rir or workers.")] = None,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of the short stages.")] = 15,
    store: Annotated[bool, typer.Option(help="Keep the document in benchmarks/results.")] = False,
) -> None:
    """Measure the stages of a data job against the published path."""
    from benchmarks.workers import workers

    idle = idle_share()
    with tempfile.TemporaryDirectory(prefix="raysed-bench-") as name:
        scratch = Path(name)
        roots, bank = bank_roots(scratch / "bank")
        parts = {
            # First, since Ray's workers inherit the cores of this process.
            "workers": lambda: workers(job_of(roots), scratch, idle),
            "soundscapes": lambda: soundscapes(roots, scratch, pairs),
            "rir": lambda: rirs(scratch, RIR_PAIRS),
        }
        rows = run_parts(parts, only)
    warm_up = "6 blocks of soundscapes, 1 reverberation, 1 build of 2 workers"
    publish(
        document("data", rows, bank=bank, warm_up=warm_up, idle_share_before=round(idle, 3)),
        store,
    )


if __name__ == "__main__":
    typer.run(main)
