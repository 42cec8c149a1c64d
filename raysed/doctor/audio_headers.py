"""The audio files of a data tree, by their headers: what cannot be read, other rates, silent foregrounds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from raysed.config.data_job import Features
from raysed.data.containers.audio_file import audio_info, is_silent
from raysed.data.lengths import TOLERATED, is_long, length_fault
from raysed.doctor.diagnosis import AudioCheck, Diagnosis, SubsetCheck

_SHOWN = 5
_NOT_WORTH_A_WORD_S = 0.1


def judge_audio(name: str, audio: AudioCheck, found: Diagnosis) -> None:
    """Call files that cannot be read a problem, and those of unknown length a remark."""
    if audio.unreadable:
        found.problems.append(
            f"{name}: {len(audio.unreadable)} files cannot be read: {_some(audio.unreadable, '; ')}"
        )
    if audio.doubtful:
        found.remarks.append(
            f"{name}: {audio.doubtful} files do not say in their header how long they are; a cut would not be seen"
        )


def judge_lengths(
    name: str,
    durations_s: Mapping[str, float],
    weak: bool,
    found: Diagnosis,
    features: Features,
    tolerated: float | None = None,
) -> None:
    """Call recordings that cannot be served at their length a problem; remark on those that are windowed, and cut."""
    share = TOLERATED if tolerated is None else tolerated
    faults = [
        f"{clip} {fault}"
        for clip, seconds in durations_s.items()
        if (fault := length_fault(seconds, features, clip_labels_only=weak))
    ]
    if faults:
        found.problems.append(
            f"{name}: {len(faults)} recordings cannot be served: {_some(faults, '; ')}"
        )
    long = [seconds for seconds in durations_s.values() if is_long(seconds, features, share)]
    if long and not weak:
        found.remarks.append(
            f"{name}: {len(long)} recordings are longer than {features.duration_s:g} s, up to {max(long):.1f} s: training"
            " hears windows of them, metrics take them whole"
        )
    cut = sum(
        features.duration_s + _NOT_WORTH_A_WORD_S < seconds
        and not is_long(seconds, features, share)
        for seconds in durations_s.values()
    )
    if cut:
        found.remarks.append(
            f"{name}: {cut} clips are a little longer than {features.duration_s:g} s: cut to it, as the published"
            " system does; events that begin after the cut are not scored"
        )


def judge_times(check: SubsetCheck, found: Diagnosis) -> None:
    """Remark on events that overlap, and that reach past the end of their clips; where most begin there, their unit is
    another.
    """
    if check.overlaps:
        found.remarks.append(
            f"{check.name}: {check.overlaps} same-class overlaps; training unites them, psds_eval refuses them"
        )
    if check.past_end:
        found.remarks.append(
            f"{check.name}: {check.past_end} events end after their clip; training cuts them"
        )
    if check.unheard:
        events = sum(check.per_class.values())
        line = (
            f"{check.name}: {check.unheard} of {events} events begin after their clip has ended, such as at"
            f" {check.first_unheard}: nothing can find them; onset and offset are seconds from the beginning of the file"
        )
        (found.problems if 2 * check.unheard > events else found.remarks).append(line)


def remark_rates(found: Diagnosis, rate_hz: int) -> None:
    """Remark on files of other rates than the features', and of several channels."""
    checks = [(s.name, s.audio) for s in found.subsets]
    checks += [(f"soundbank {b.split}", b.audio) for b in found.soundbank]
    for name, audio in checks:
        other = sum(count for rate, count in audio.rates_hz.items() if rate != rate_hz)
        lower = sum(count for rate, count in audio.rates_hz.items() if rate < rate_hz)
        if other or audio.stereo:
            found.remarks.append(
                f"{name}: {other} files are not at {rate_hz} Hz (resampled), {audio.stereo} not mono "
                "(averaged)"
            )
        if lower:
            found.remarks.append(
                f"{name}: {lower} files are at less than {rate_hz} Hz: they hold nothing above half their own rate"
            )


def read_headers(paths: Iterable[str], check: AudioCheck) -> dict[str, float]:
    """Fill in the check from the files' headers; return the duration in seconds of each good file."""
    durations_s: dict[str, float] = {}
    rates: Counter[int] = Counter()
    for path in paths:
        try:
            info = audio_info(path)
        except ValueError as error:
            check.unreadable.append(f"{Path(path).name} ({str(error).removeprefix(f'{path}: ')})")
            continue
        rates[info.samplerate] += 1
        check.stereo += info.channels > 1
        check.doubtful += bool(info.doubt)
        durations_s[path] = info.duration
    check.files, check.rates_hz = len(durations_s), dict(rates)
    check.shortest_s = min(durations_s.values(), default=0.0)
    check.longest_s = max(durations_s.values(), default=0.0)
    check.hours = sum(durations_s.values()) / 3600
    return durations_s


def judge_silence(name: str, foregrounds: Iterable[str], found: Diagnosis) -> None:
    """Call silent foregrounds a problem. Each is decoded up to its first sound."""
    silent = [Path(path).name for path in foregrounds if is_silent(path)]
    if silent:
        found.problems.append(
            f"{name}: {len(silent)} silent foregrounds, whose labels would stand for no sound: {_some(silent, ', ')}"
        )


def _some(names: Sequence[str], between: str) -> str:
    more = f" … and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more
