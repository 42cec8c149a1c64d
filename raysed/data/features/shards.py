"""Shards on disk: Parquet files of mels with labels, and the manifest that lists them.

A data set is a folder `manifest.json, shard-00000.parquet …, quarantine.tsv, missing.tsv`. A shard
that the manifest does not list does not exist. The same clips give the same bytes. A 10 s clip
takes about 140 kB, 440 kB with its waveform.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AfterValidator, ValidationError

from raysed import __version__
from raysed.config.base import Config
from raysed.config.data_job import Features
from raysed.data.clip import Clip, Rejected
from raysed.data.features.embeddings import embedding_columns, embedding_fields, encoder_in
from raysed.data.features.mel import prepared
from raysed.data.lengths import is_long
from raysed.package_version import version_of
from raysed.storage.delimited import one_line
from raysed.storage.folder import Folder
from raysed.storage.safe_name import safe_file_name

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
ROW_GROUP_CLIPS = 64

EVENT = pa.struct([("onset", pa.float64()), ("offset", pa.float64()), ("event_label", pa.string())])
SOFT_EVENT = pa.struct([*EVENT, ("confidence", pa.float64())])
"""An event of a set of soft labels, and of no other: the bytes of these stay as they were."""


FileName = Annotated[str, AfterValidator(safe_file_name)]
"""A name that is joined to a folder, for reading and for writing."""


class ShardEntry(Config):
    """A finished shard: raw clips `start` (included) to `stop` of the data set's plan."""

    name: FileName
    start: int
    stop: int
    rows: int
    sha256: str
    dropped: int
    """Soundscapes that the polyphony filter dropped."""
    quarantined: tuple[tuple[str, str], ...]
    """File name and reason of each clip that could not be made."""


class Manifest(Config):
    """The content of a data set folder. It is equal for equal content, whoever built it and when."""

    format: int
    id: FileName
    name: FileName
    job: dict[str, Any]
    features: Features
    classes: tuple[str, ...]
    mel: str
    complete: bool
    clips: int
    dropped: int
    quarantined: int
    missing: int
    versions: dict[str, str]
    shards: tuple[ShardEntry, ...]


def annotated_by(manifest: Manifest) -> tuple[str, ...] | None:
    """Return the classes whose every event the data set labels; None: all."""
    annotates = manifest.job.get("set", {}).get("annotates")
    return None if annotates is None else tuple(annotates)


def shard_name(number: int) -> str:
    """Return the file name of the shard with this number."""
    return f"shard-{number:05d}.parquet"


def sha256(content: bytes | pa.Buffer) -> str:
    """Return the SHA-256 of the content as hex digits."""
    return hashlib.sha256(content).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide a shard's bytes."""
    packages = ("numpy", "scipy", "pyarrow", "scaper", "soxbindings", "torchaudio")
    # A submitted job brings its own raysed; the installed one may be missing or of another version.
    return {"raysed": __version__} | {package: version_of(package) for package in packages}


def shard_schema(features: Features, metadata: dict[str, Any]) -> pa.Schema:
    """Return the columns of a shard; `metadata` becomes JSON under the key `raysed`."""
    fields = [
        ("filename", pa.string()),
        ("subset", pa.string()),
        ("mel", pa.list_(_arrow_dtype(features), features.n_frames * features.n_mels)),
        ("frames", pa.int32()),
        ("events", pa.list_(SOFT_EVENT if is_soft(metadata) else EVENT)),
        ("weak_labels", pa.list_(pa.string())),
        ("duration_s", pa.float64()),
        ("source", pa.string()),
    ]
    if features.waveforms:
        fields.append(("waveform", pa.list_(pa.float16())))
    if (facts := encoder_in(metadata)) is not None:
        fields += embedding_fields(facts, features)
    return pa.schema(fields, metadata={"raysed": json.dumps(metadata, sort_keys=True)})


def is_soft(metadata: dict[str, Any]) -> bool:
    """Tell whether a shard with this metadata is of a set with soft labels."""
    return metadata.get("job", {}).get("set", {}).get("type") == "soft"


def stored_mel(mel_TF: np.ndarray, features: Features) -> np.ndarray:
    """Return one clip's mel in the dtype of storage, zero-padded to (n_frames, n_mels).

    Raises ValueError if a value does not fit the dtype.
    """
    padded_TF = np.zeros((features.n_frames, features.n_mels), features.dtype)
    with np.errstate(over="ignore"):
        padded_TF[: len(mel_TF)] = mel_TF
    if not np.isfinite(padded_TF).all():
        raise ValueError(
            f"mel amplitude {mel_TF.max():.3g} does not fit {features.dtype}; scale the audio"
        )
    return padded_TF


def stored_waveform(waveform_T: np.ndarray, features: Features) -> np.ndarray:
    """Return the samples that the kept frames see, as float16.

    float16 follows the level sample by sample and
    needs no scale: its error was 73.5 to 74.2 dB under each of 64 recorded clips, where int16 scaled to the
    clip's peak was 70 to 86 dB under it and int16 of full scale 56 to 81. Teacher noise is 0 to 30 dB under
    the clip: it buries all three.
    """
    return prepared(waveform_T, features).astype(np.float16)


def encode_shard(
    rows: Sequence[tuple[Clip, np.ndarray]],
    subset: str,
    features: Features,
    metadata: dict[str, Any],
    embeddings: Sequence[np.ndarray] = (),
) -> pa.Buffer:
    """Return the Parquet bytes of clips and their amplitude mels (frames, F), with waveforms where the
    features ask for them, and with rows (R, E) where the metadata names an encoder.
    """
    clips = [clip for clip, _ in rows]
    columns = [
        [clip.filename for clip in clips],
        [subset] * len(clips),
        _mel_column([mel_TF for _, mel_TF in rows], features),
        [len(mel_TF) for _, mel_TF in rows],
        [None if clip.events is None else [vars(event) for event in clip.events] for clip in clips],
        [None if clip.weak_labels is None else list(clip.weak_labels) for clip in clips],
        [clip.duration_s for clip in clips],
        [clip.source for clip in clips],
    ]
    if features.waveforms:
        columns.append([stored_waveform(clip.waveform_T, features) for clip in clips])
    if (facts := encoder_in(metadata)) is not None:
        columns += embedding_columns(embeddings, facts, features)
    layout = shard_schema(features, metadata)
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, layout, strict=True)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=layout),
        sink,
        row_group_size=ROW_GROUP_CLIPS,
        compression="zstd",
        use_dictionary=["subset"],
        # Statistics (smallest and largest values) of mel lists are of no use.
        write_statistics=False,
    )
    return sink.getvalue()


def _mel_column(mels_TF: Sequence[np.ndarray], features: Features) -> pa.Array:
    """Return mels as rows of n_frames * n_mels values."""
    width = features.n_frames * features.n_mels
    mel_NW = np.zeros((len(mels_TF), width), features.dtype)
    for n, mel_TF in enumerate(mels_TF):
        mel_NW[n] = stored_mel(mel_TF, features).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(mel_NW.ravel()), width)


def decode_shard(content: bytes | pa.Buffer, columns: list[str] | None = None) -> pa.Table:
    """Return the table that `encode_shard` wrote, or some of its columns."""
    return pq.read_table(pa.BufferReader(content), columns=columns, use_threads=False)


def first_samples(table: pa.Table) -> list[int | None]:
    """Return the first sample of each row's window in its recording, None of a row that is a whole clip.

    Only `filename` and `source` are read. Raises ValueError for a source that is no JSON object.
    """
    found = [json.loads(source) for source in table["source"].to_pylist()]
    return [about.get("start") if isinstance(about, dict) else None for about in found]


def cut_recordings(table: pa.Table, features: Features) -> list[str]:
    """Return the recordings longer than a clip of which the beginning alone is there, as earlier code built them."""
    durations_s = table["duration_s"].to_pylist()
    long = [n for n, seconds in enumerate(durations_s) if is_long(seconds, features)]
    if not long:
        return []
    starts = first_samples(table.take(long))
    names = table["filename"].take(long).to_pylist()
    return [name for name, start in zip(names, starts, strict=True) if start is None]


def read_manifest(folder: Folder) -> Manifest | None:
    """Return the manifest of a data set folder, or None where there is none. Raises ValueError if it cannot
    be understood.
    """
    content = folder.read(MANIFEST)
    if content is None:
        return None
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ValueError(
            f"{folder.url}/{MANIFEST}: is not a manifest of this version ({error})"
        ) from error
    if manifest.format != FORMAT_VERSION:
        raise ValueError(f"{folder.url}/{MANIFEST}: format {manifest.format}, not {FORMAT_VERSION}")
    return manifest


def write_manifest(folder: Folder, manifest: Manifest) -> None:
    """Replace the manifest in one step."""
    text = json.dumps(
        manifest.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False
    )
    folder.write(MANIFEST, f"{text}\n".encode())


def read_shard(folder: Folder, entry: ShardEntry) -> bytes:
    """Return the bytes of a listed shard. Raises ValueError naming the file if it is absent or not what was
    written.
    """
    content = folder.read(entry.name)
    if content is None:
        raise ValueError(
            f"{folder.url}/{entry.name}: listed in {MANIFEST} but not there; run the job again"
        )
    if sha256(content) != entry.sha256:
        raise ValueError(
            f"{folder.url}/{entry.name}: SHA-256 is not that of {MANIFEST}; run the job again"
        )
    return content


def write_lists(folder: Folder, quarantined: Sequence[Rejected], missing: Iterable[str]) -> None:
    """Write `quarantine.tsv` (filename, reason) and `missing.tsv` (filename), even when they are empty."""
    rows = [f"{one_line(clip.filename)}\t{one_line(clip.reason)}" for clip in quarantined]
    folder.write("quarantine.tsv", "\n".join(["filename\treason", *rows, ""]).encode())
    folder.write("missing.tsv", "\n".join(["filename", *map(one_line, missing), ""]).encode())


def _arrow_dtype(features: Features) -> pa.DataType:
    return pa.float16() if features.dtype == "float16" else pa.float32()
