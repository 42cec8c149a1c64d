"""The data sets of a space before anything is built: what is there, what would be built, what is missing.

Folders are listed, TSVs and headers are read. Soundscapes are drawn but not rendered (about 0.5 ms each, at most
some 1,500 of a set), which tells how many will survive the polyphony filter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from raysed.config.data_job import (
    DataJob,
    Features,
    RecordedSet,
    SyntheticSet,
    roots_read,
)
from raysed.config.encoder import EncoderFacts
from raysed.config.fault import Fault
from raysed.config.trial import Trial
from raysed.data.build.absolute_roots import with_absolute_roots
from raysed.data.build.dataset_plan import DatasetPlan, plan_each
from raysed.data.build.set_identity import encoder_of
from raysed.data.build.source import SyntheticSource
from raysed.data.clip import Event
from raysed.data.labels import max_polyphony
from raysed.data.recorded.desed import listed_names, read_labels, tsv_path
from raysed.data.soundscapes.context import HELD_OUT, SoundscapeContext, soundscape_indices

# Share of DESED's 10 s soundscapes that survive (2,320 of 4,500), used where the sound bank is missing.
SURVIVING = 0.516
_MOST_DRAWN = 1500
"""Of larger sets every second, third, ... soundscape is drawn, as many of each label as there are in the set; the
share that survives is then known to about a hundredth."""
# Zstandard leaves about this much of float16 mels.
_COMPRESSED = 0.87


@dataclass(frozen=True)
class ListedSet:
    """One data set, as far as it can be known without building it."""

    name: str
    planned: DatasetPlan | None
    """None where a source is missing: its id depends on the source's files."""
    clips: int
    """Clips of a finished set, else the expected number: clips whose audio is there, soundscapes that
    survive."""
    asked: int
    """Soundscapes before the polyphony filter, or clips that the annotations list."""
    missing: int
    """Listed clips without audio."""
    bytes: int
    """About how many bytes building the set will write."""
    fault: str | None = None
    """The reason why it cannot be built, unless that is a variable that is not set."""

    @property
    def unknown(self) -> bool:
        """True where nothing is known of its clips; why not is its fault."""
        return self.planned is None and not self.clips

    def as_json(self, job: str) -> dict[str, Any]:
        """Return an entry of the plan's `datasets`."""
        return {
            "name": self.name,
            "id": self.planned and self.planned.id,
            "state": self.planned.state if self.planned else "to_build",
            "clips": self.clips,
            "asked": self.asked,
            "missing": self.missing,
            "bytes": self.bytes,
            "url": self.planned and self.planned.url,
            "job": job,
        }


def list_sets(job: DataJob, names: tuple[str, ...], unset: Sequence[Fault] = ()) -> list[ListedSet]:
    """Return the named data sets, in the job's order; those that cannot be built with the reason.

    What hangs on a root whose variable is among `unset` is told by that fault and has no other.
    """
    absolute = with_absolute_roots(job)
    unknown = {key for fault in unset for key in fault.key[1:2] if fault.key[:1] == ("roots",)}
    found = plan_each(job, [name for name in names if not unknown & roots_read(job, name)])
    surviving: dict[SyntheticSet, int] = {}
    listed = []
    for name in names:
        planned = found.get(name)
        if isinstance(planned, DatasetPlan):
            listed.append(_possible(job, planned, surviving))
        else:
            listed.append(_impossible(absolute, name, None if planned is None else str(planned)))
    return listed


def fault_lines(listed: Iterable[ListedSet]) -> list[str]:
    """Return a line for each reason that keeps sets from being built."""
    reasons: dict[str, list[str]] = {}
    for entry in listed:
        if entry.fault:
            reasons.setdefault(entry.fault, []).append(entry.name)
    return [
        f"data set{'s' * (len(which) > 1)} {', '.join(which)}: {reason}"
        for reason, which in reasons.items()
    ]


def encoder_faults(job: DataJob, names: Sequence[str]) -> list[str]:
    """Return a line for each encoder of the named sets that cannot be opened, whatever else they lack."""
    job, found = with_absolute_roots(job), {}
    for name in names:
        try:
            encoder_of(job, name)
        except ValueError as error:
            found.setdefault(str(error), []).append(name)
    return [f"data set{'s' * (len(of) > 1)} {', '.join(of)}: {why}" for why, of in found.items()]


def tuned_file(trial: Trial, job: DataJob) -> str | None:
    """Return the file of the encoder that a trial tunes, None where it tunes none."""
    rows = job.sets[trial.data.xvalid[0]].embeddings
    if not trial.tunes_encoder or rows is None:
        return None
    return with_absolute_roots(job).encoders[rows.encoder].path


def _possible(job: DataJob, planned: DatasetPlan, surviving: dict[SyntheticSet, int]) -> ListedSet:
    source, clips = planned.source, planned.clips
    facts = None if planned.encoder is None else planned.encoder.facts
    if planned.state == "to_build" and isinstance(source, SyntheticSource):
        key = _events_of(source.context.data_set)
        if key not in surviving:
            surviving[key] = count_surviving(source.context)
        clips = surviving[key]
    return ListedSet(
        name=planned.name,
        planned=planned,
        clips=clips,
        asked=source.count + len(source.missing),
        missing=len(source.missing),
        bytes=0 if planned.state == "present" else clips * clip_bytes(job.features, facts),
    )


def _impossible(job: DataJob, name: str, reason: str | None) -> ListedSet:
    """Return what the job and the annotations alone say of a set that cannot be built here."""
    data_set = job.sets[name]
    if isinstance(data_set, SyntheticSet):
        share = {"all": 1.0, "train": 1.0 - HELD_OUT, "xvalid": HELD_OUT}[data_set.part]
        asked, missing = round(share * data_set.count), 0
        clips = round(SURVIVING * asked)
    elif isinstance(data_set, RecordedSet):
        clips = asked = missing = listed_clips(job, data_set)
    else:
        clips = asked = missing = 0
    return ListedSet(
        name=name,
        planned=None,
        clips=clips,
        asked=asked,
        missing=missing,
        bytes=clips * clip_bytes(job.features),
        fault=reason,
    )


def listed_clips(job: DataJob, data_set: RecordedSet) -> int:
    """Count the clips that the annotations of a recorded set list, with or without audio; 0 without
    annotations.
    """
    assert job.roots.recorded is not None, "DataJob checks that the roots cover the sets"
    try:
        labels = read_labels(tsv_path(job.roots.recorded, data_set), data_set.subset)
    except (ValueError, OSError):
        return 0  # the refusals say why
    return len(listed_names(labels, data_set))


def count_surviving(context: SoundscapeContext) -> int:
    """Count the soundscapes that pass the polyphony filter; of large sets, estimate it. None is rendered."""
    # Scaper takes a second to load.
    from raysed.data.soundscapes.soundscape import specify

    # The pitch has draws of its own, which decide nothing here.
    context = replace(context, data_set=_events_of(context.data_set))
    indices = soundscape_indices(context)
    count = len(indices)
    drawn = indices[:: max(1, -(-count // _MOST_DRAWN))]
    kept = 0
    for index in drawn:
        _, *foreground = specify(context, index)
        events = [Event(e.event_time, e.event_time + e.event_duration, e.label) for e in foreground]
        kept += max_polyphony(events) <= context.data_set.max_polyphony
    return round(kept * count / len(drawn)) if drawn else 0


def _events_of(data_set: SyntheticSet) -> SyntheticSet:
    """Return what decides the events of a set; sets that differ in pitch shift, reverberation and the like
    share them.
    """
    return data_set.model_copy(
        update={"pitch_shift_semitones": 0.0, "reverb": "none", "export": ()}
    )


def clip_bytes(features: Features, encoder: EncoderFacts | None = None) -> int:
    """Return about how many bytes a full-length clip takes in a shard."""
    width = 2 if features.dtype == "float16" else 4
    mel = _COMPRESSED * width * features.n_frames * features.n_mels
    embedding = 0 if encoder is None else 2 * encoder.rows(features.duration_s) * encoder.width
    return round(mel + (2 * features.n_samples if features.waveforms else 0) + embedding)
