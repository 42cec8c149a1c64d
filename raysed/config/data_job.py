"""The configuration of a data job: recorded subsets and synthetic sets, built as mel features in shards.

One job names several data sets; each becomes a content-addressed folder of its own. Defaults are the
published system's (Turpault & Serizel 2020); a set is built the same on any number of workers.
"""

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.base import LARGEST_SEED, Config, Line, Name, twins
from raysed.config.encoder import Embeddings, Encoder

_LARGEST_CLIP = 100_000_000
"""The most mel values or samples of one clip, 400 MB as float32."""


class Features(Config):
    """The log-mel front end: centred STFT with a symmetric Hamming window, Slaney mel bands of amplitude."""

    sample_rate_hz: int = Field(16000, ge=1000, le=1_000_000)
    """Recordings at other rates are resampled."""
    duration_s: float = Field(10.0, gt=0, le=3600)
    """Clips are padded or truncated to this length, in frames."""
    n_fft: int = Field(2048, ge=16, le=131_072)
    """STFT size and window length in samples."""
    hop: int = Field(255, ge=1, le=131_072)
    """Samples from one STFT frame to the next."""
    n_mels: int = Field(128, ge=1, le=4096)
    """Mel bands. The network's frequency pooling must end at one."""
    low_hz: float = Field(0.0, ge=0)
    """Lower edge of the lowest band."""
    high_hz: float = Field(8000.0, gt=0)
    """Upper edge of the highest band, at most half the sample rate."""
    floor_db: float = Field(80.0, gt=0)
    """Decibels under each clip's own maximum at which its log-mel is floored."""
    pad: Literal["after_log", "waveform"] = "after_log"
    """Short clips: 0.0 dB frames after the log, as published, or silence in the waveform."""
    dtype: Literal["float16", "float32"] = "float16"
    """Storage of the linear amplitude; float16 costs 4e-3 dB."""
    waveforms: bool = False
    """Store each clip's waveform too, for `teacher.noise_domain: waveform`: about 300 kB a 10 s clip."""

    @property
    def n_samples(self) -> int:
        """Samples of a full-length clip."""
        return round(self.duration_s * self.sample_rate_hz)

    @property
    def n_samples_seen(self) -> int:
        """Samples that can change a frame: the last one ends half a window after its centre."""
        return max((self.n_frames - 1) * self.hop + self.n_fft // 2, self.n_samples)

    @property
    def n_frames(self) -> int:
        """Frames of a full-length clip (centred STFT)."""
        return self.n_samples // self.hop + 1

    @model_validator(mode="after")
    def _bands_below_nyquist(self) -> "Features":
        if self.high_hz > self.sample_rate_hz / 2:
            raise ValueError(
                f"high_hz {self.high_hz} is above half the sample rate {self.sample_rate_hz}"
            )
        if self.low_hz >= self.high_hz:
            raise ValueError(f"low_hz {self.low_hz} is not below high_hz {self.high_hz}")
        return self

    @model_validator(mode="after")
    def _clips_fit_into_memory(self) -> "Features":
        values = max(self.n_frames * self.n_mels, self.n_samples)
        if values > _LARGEST_CLIP:
            raise ValueError(
                f"a clip of {self.n_frames:,} frames x {self.n_mels} mel bands ({self.n_samples:,} samples)"
                f" is larger than {_LARGEST_CLIP:,} values"
            )
        return self


class Roots(Config):
    """The folders or URLs that hold the audio. They are separate keys, since users keep the parts of DESED apart."""

    recorded: str | None = None
    """Holds `audio/` and `metadata/` (DESED's `dataset` folder)."""
    soundbank: str | None = None
    """Holds `audio/{train,validation,eval}/soundbank/` (DESED's `synthetic` folder)."""
    rir: str | None = None
    """Holds `{train,validation,eval}/`: FUSS rooms (`rir*_*/{background,foreground}N*.wav`) or flat files."""
    cooccurrences: str | None = None
    """The co-occurrence JSON, or a folder of `event_occurences_{train,validation,eval}.json`."""
    soundbank_validation: str | None = None
    """The list of soundbank files that belong to x-valid; without it (and without an
    `audio/validation/soundbank` folder) a class-stratified seeded 90/10 split by source recording."""


class RecordedSet(Config):
    """A subset of DESED whose audio lies on disk: recorded clips, or ready-made soundscapes."""

    kind: Literal["recorded"]
    """Audio that lies on disk."""
    subset: Literal["weak", "unlabelled", "validation", "eval", "synthetic"]
    """The subset of DESED; `synthetic` is a set of finished soundscapes such as synthetic20_train, named by
    `folder`."""
    folder: Name | None = None
    """Ready-made soundscapes only: audio in `audio/{train,validation,eval}/<folder>/soundscapes/`, labels in
    `metadata/<the same>/<folder>/soundscapes.tsv`."""
    part: Literal["all", "train", "xvalid"] = "all"
    """Weak clips and ready-made soundscapes: 90 % of the sorted names go to `train`, the rest to `xvalid`."""
    split_seed: int = Field(0, ge=0, le=LARGEST_SEED)
    """Decides which clips are the 10 %."""
    limit: int | None = Field(None, ge=1)
    """Only the first clips of the sorted names (rehearsals)."""
    annotates: tuple[Line, ...] | None = Field(None, min_length=1)
    """The classes whose every event the set labels, where the job has more ([masks](data.md#masks)); null: all."""
    embeddings: Embeddings | None = None
    """Rows of a pretrained encoder beside each mel; null stores none."""

    @model_validator(mode="after")
    def _part_is_for_training_sets(self) -> "RecordedSet":
        if self.part != "all" and self.subset not in ("weak", "synthetic"):
            raise ValueError(
                f"part: {self.part} splits the subsets weak and synthetic only, not {self.subset}"
            )
        return self

    @model_validator(mode="after")
    def _folder_is_for_synthetic(self) -> "RecordedSet":
        if self.subset == "synthetic" and self.folder is None:
            raise ValueError("subset: synthetic needs `folder`, for example synthetic20_train")
        if self.subset != "synthetic" and self.folder is not None:
            raise ValueError(f"folder: {self.folder} is for subset: synthetic, not {self.subset}")
        return self


class SyntheticSet(Config):
    """Soundscapes that Scaper samples from the soundbank (spec: Turpault & Serizel 2020, section 3)."""

    kind: Literal["synthetic"]
    """Soundscapes made from the soundbank."""
    split: Literal["train", "xvalid", "eval"]
    """The split of the soundbank, the co-occurrences and the rooms; `xvalid` has sources that `train` never
    sees."""
    count: int = Field(ge=1, le=10_000_000)
    """Soundscapes asked for (the paper: 4500 for training, 500 for x-valid); about half survive the polyphony
    filter."""
    part: Literal["all", "train", "xvalid"] = "all"
    """90 % of the soundscapes asked for go to `train`, the rest to `xvalid`, as the official baseline of DCASE 2020
    holds out a part of its own soundscapes; their sources are the same."""
    split_seed: int = Field(0, ge=0, le=LARGEST_SEED)
    """Decides which soundscapes are the 10 %."""
    seed: int = Field(0, ge=0, le=LARGEST_SEED)
    """Seed of the draws; soundscape i is a function of seed, split and i alone."""
    pitch_shift_semitones: float = Field(3.0, ge=0, le=48)
    """Uniform in plus or minus this; 0 means no pitch shift (the paper's Table 2)."""
    reverb: Literal["none", "rir", "sox"] = "none"
    """`rir` convolves with the rooms of `roots.rir` (Table 3); `sox` is SoX's, which the paper calls Scaper's
    default."""
    snr_db: tuple[float, float] = (6.0, 30.0)
    """Uniform range of each event's level over the background, in LUFS."""
    ref_db: float = -55.0
    """Background level, LUFS."""
    max_polyphony: int = Field(2, ge=1)
    """Soundscapes with more simultaneous foreground events are dropped."""
    min_event_s: float = Field(0.25, gt=0)
    """Shorter events are extended to this."""
    merge_gap_s: float = Field(0.150, ge=0)
    """Events of one class closer than this become one."""
    merge_onsets_s: float = Field(0.400, ge=0)
    """Events of one class whose onsets are closer than this become one."""
    export: tuple[Literal["wav", "jams"], ...] = ()
    """Also write each soundscape's audio (`wav/`, float32) and Scaper annotation (`jams/`) into the set's
    folder."""
    annotates: tuple[Line, ...] | None = Field(None, min_length=1)
    """The classes that the sound bank holds, where the job has more ([masks](data.md#masks)); null: all."""
    embeddings: Embeddings | None = None
    """Rows of a pretrained encoder beside each mel; null stores none."""

    @model_validator(mode="after")
    def _snr_range(self) -> "SyntheticSet":
        if self.snr_db[0] > self.snr_db[1]:
            raise ValueError(f"snr_db {list(self.snr_db)} is not [low, high]")
        return self


DataSet = Annotated[RecordedSet | SyntheticSet | AnnotatedSet, Field(discriminator="kind")]


class Cluster(Config):
    """The use that a build makes of the machines. It changes no byte of a data set, so it is not part of its
    identity.
    """

    tasks_in_flight: int | None = Field(None, ge=1, le=100_000)
    """Waveform tasks at once, one CPU each; null takes every CPU. `--workers` overrides it."""
    mel_actors_per_node: int | None = Field(None, ge=1, le=1000)
    """Mel actors on every node (with GPUs, on every node that has one); null starts one for four waveform
    tasks, at most one for each GPU share."""
    gpus_per_mel_actor: float | None = Field(None, ge=0)
    """GPU share of a DALI actor: a fraction puts several on one GPU, 0 uses DALI's CPU backend; null is 1
    where the cluster has GPUs."""

    @model_validator(mode="after")
    def _one_gpu_at_most(self) -> "Cluster":
        if self.gpus_per_mel_actor is not None and self.gpus_per_mel_actor > 1:
            raise ValueError(
                f"gpus_per_mel_actor is {self.gpus_per_mel_actor}: an actor uses one GPU or a part of it"
            )
        return self


class DataJob(Config):
    """All data sets of one experiment, and how to build them."""

    name: Name
    """For people and messages."""
    out: str
    """Folder or URL that receives one folder per data set."""
    roots: Roots = Roots()
    """The folders that hold the audio; only those that the sets need must be given."""
    classes: tuple[Line, ...] | None = Field(None, max_length=10_000)
    """The class list; null takes the classes of the soundbank's foregrounds, or without a soundbank those of
    the labelled sets' annotations, sorted."""
    features: Features = Features()
    """The log-mel front end, one for all sets."""
    mel: Literal["auto", "dali", "torchaudio"] = "auto"
    """The code that computes the mel bands; it is part of a data set's identity. `torchaudio` is the CPU
    definition: torchaudio's filters, scipy's FFT. `auto` is the one by which most of the asked sets are in `out`
    already, else the faster one: DALI where it is installed and this machine has a GPU, `torchaudio` elsewhere."""
    shard_clips: int = Field(64, ge=1, le=100_000)
    """Clips in a shard: the unit of work, of resume and of row groups."""
    quarantine_limit: float = Field(0.01, ge=0, le=1)
    """Fraction of unreadable clips above which the job ends with exit code 3."""
    cluster: Cluster = Cluster()
    """The use that a build makes of the machines."""
    encoders: dict[Name, Encoder] = Field({})
    """The pretrained encoders by name, for the sets' `embeddings`."""
    sets: dict[Name, DataSet] = Field(min_length=1)
    """The data sets by name; each is built into a folder `<out>/<name>-<id>`."""

    @field_validator("classes")
    @classmethod
    def _classes_are_apart(cls, classes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if classes == ():
            raise ValueError("an empty list; leave it out to take the classes that the sets name")
        if repeated := [label for label, count in Counter(classes).items() if count > 1]:
            raise ValueError(f"given twice: {', '.join(repeated)}")
        return classes

    @field_validator("sets")
    @classmethod
    def _sets_are_apart(cls, sets: dict[str, DataSet]) -> dict[str, DataSet]:
        if same := twins(sets):
            raise ValueError(f"{', '.join(same)}: folders of one name where case does not count")
        return sets

    @model_validator(mode="after")
    def _roots_cover_the_sets(self) -> "DataJob":
        for name, data_set in self.sets.items():
            for root in needed_roots(data_set):
                if getattr(self.roots, root) is None:
                    raise ValueError(f"sets.{name} needs roots.{root}, which is not given")
            wanted = data_set.embeddings and data_set.embeddings.encoder
            if wanted and wanted not in self.encoders:
                known = ", ".join(self.encoders) or "none"
                raise ValueError(
                    f"sets.{name}.embeddings names the encoder {wanted}; `encoders` has {known}"
                )
        return self


def needed_roots(data_set: RecordedSet | SyntheticSet | AnnotatedSet) -> list[str]:
    """The keys of `Roots` that a data set reads."""
    if isinstance(data_set, AnnotatedSet):
        return []
    if isinstance(data_set, RecordedSet):
        return ["recorded"]
    return ["soundbank", "cooccurrences"] + (["rir"] if data_set.reverb == "rir" else [])


def roots_read(job: DataJob, name: str) -> set[str]:
    """Return the keys of `Roots` that decide what the set `name` holds, those of its class list too."""
    data_set = job.sets[name]
    read = {*needed_roots(data_set)}
    if isinstance(data_set, SyntheticSet):
        read.add("soundbank_validation")
    if job.classes is None and not isinstance(data_set, AnnotatedSet):
        read.add("recorded" if job.roots.soundbank is None else "soundbank")
    return read
