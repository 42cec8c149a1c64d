"""The configuration of a data set of one's own: audio anywhere, and labels in the usual forms."""

from typing import Literal

from pydantic import Field, model_validator

from raysed.config.base import LARGEST_SEED, Config, Line
from raysed.config.encoder import Embeddings


class AnnotatedSet(Config):
    """Recordings of one's own, anywhere, with labels in one of the usual forms ([forms](data.md#own-recordings))."""

    kind: Literal["annotated"]
    """Recordings of one's own."""
    audio: str
    """A folder, a glob (`rec/**/*.wav`), or a manifest (`.tsv`, `.csv`, `.jsonl`, `.parquet`) of the audio, as a path or a
    URL of any file system that fsspec knows. A Parquet file may hold the audio itself, as Hugging Face's do."""
    labels: str | None = None
    """A table of labels, or a folder or glob of one label file for each recording (`.txt`, `.jams`); null takes those of
    the manifest, and without one the name of the folder that a recording lies in; with `type: strong` it is taken to sound
    for the whole clip."""
    type: Literal["strong", "weak", "soft", "none"]
    """Events with times, labels of whole clips, values from 0 to 1 with times (MAESTRO), or none."""
    names: str | None = None
    """A table without header of two columns, what labels are called: AudioSet's `mid_to_display_name.tsv`."""
    map: dict[Line, Line | tuple[Line, ...]] = Field({})
    """Labels of the files to classes, `{people talking: [people talking, Speech]}`; others keep their name."""
    other_labels: Literal["refuse", "ignore"] = "refuse"
    """The treatment of labels that are no classes of the job."""
    annotates: tuple[Line, ...] | None = Field(None, min_length=1)
    """The classes whose every event the set labels; others may sound in it unlabelled, so that they are masked in
    losses, attention and metrics. Null: all classes of the job."""
    embeddings: Embeddings | None = None
    """Rows of a pretrained encoder beside each mel; null stores none."""
    part: Literal["all", "train", "xvalid", "eval"] = "all"
    """A part of the recordings: 80, 10 and 10 %, by a hash of the name, so that new recordings move no others."""
    split_seed: int = Field(0, ge=0, le=LARGEST_SEED)
    """Decides which recordings are in which part."""
    limit: int | None = Field(None, ge=1)
    """Only the first recordings of the sorted names (rehearsals)."""

    @model_validator(mode="after")
    def _labels_fit_the_type(self) -> "AnnotatedSet":
        if self.type == "none" and self.labels is not None:
            raise ValueError(
                "type: none has no labels; leave `labels` out, or say of which type they are"
            )
        if self.type == "soft" and self.labels is None and not is_manifest(self.audio):
            raise ValueError(f"type: {self.type} needs `labels`, or a manifest as `audio`")
        return self

    def classes_of(self, label: str) -> tuple[str, ...]:
        """Return the classes that a label of the files stands for."""
        mapped = self.map.get(label, label)
        return (mapped,) if isinstance(mapped, str) else mapped


MANIFESTS = (".tsv", ".csv", ".jsonl", ".parquet")


def is_manifest(audio: str) -> bool:
    """Tell whether `audio` names a manifest, or a glob of them, and not audio files."""
    return audio.lower().endswith(MANIFESTS)


LOCATIONS = ("audio", "labels", "names")
"""Keys that say where data lies. What lies there is part of a data set's identity, the place is not."""
