"""A small tree of weakly labelled clips, its data job, and what a build left in a folder."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from raysed.config.data_job import DataJob, Features, RecordedSet, Roots
from raysed.config.encoder import Embeddings, Encoder
from raysed.data.build.dataset_plan import DatasetPlan, plan
from raysed.data.build.resume import record
from raysed.data.build.stages import ShardWriter, make_clips, target
from raysed.data.features.shards import ShardEntry, sha256

FEATURES = Features(duration_s=1.0, n_mels=16, hop=510)
WEAK = RecordedSet(kind="recorded", subset="weak")
SHARD_CLIPS = 2


def write_tree(root: Path, clips: int = 11) -> Path:
    """A `dataset` folder of weakly labelled noise; clip 3 is corrupt, clip 7 absent."""
    audio = root / "audio/train/weak"
    audio.mkdir(parents=True)
    lines = ["filename\tevent_labels"]
    for n in range(clips):
        lines.append(f"Y{n:02d}_0.000_1.000.wav\t{'Cat,Dog' if n % 2 else 'Dog'}")
        if n == 7:
            continue
        noise_T = np.random.default_rng(n).uniform(-0.5, 0.5, 16000 if n % 3 else 9000)
        soundfile.write(audio / f"Y{n:02d}_0.000_1.000.wav", noise_T, 16000)
    (audio / "Y03_0.000_1.000.wav").write_bytes(b"RIFF is not enough")
    (root / "metadata/train").mkdir(parents=True)
    (root / "metadata/train/weak.tsv").write_text("\n".join([*lines, ""]))
    return root


def weak_job(root: Path, out: Path | str, **changes: object) -> DataJob:
    fields = {
        "name": "small",
        "out": str(out),
        "roots": Roots(recorded=str(root)),
        "classes": ("Cat", "Dog"),
        "features": FEATURES,
        "shard_clips": SHARD_CLIPS,
        "quarantine_limit": 0.2,
        "sets": {"weak": WEAK},
    }
    return DataJob(**{**fields, **changes})


def embedding_job(root: Path, out: Path | str, path: Path | str) -> DataJob:
    """The job with the rows of an ONNX encoder beside the mels: a row every 400 samples."""
    encoder = Encoder(kind="onnx", path=str(path), sample_rate_hz=16000, hop=400)
    embeddings = Embeddings(encoder="loudness", layers=("one_rows", "more_rows"))
    with_rows = WEAK.model_copy(update={"embeddings": embeddings})
    return weak_job(root, out, sets={"weak": with_rows}, encoders={"loudness": encoder})


def build_shards(p: DatasetPlan, numbers: Iterable[int]) -> list[ShardEntry]:
    """Write some shards of a plan, one after the other and without Ray; the manifest stays as it is."""
    batch = max(shard.stop - shard.start for shard in p.shards)
    writer = ShardWriter(p.mel, p.features, batch=batch, device_id=None)
    shards = [p.shards[number] for number in numbers]
    return [writer.write(target(p, shard), make_clips(p.source, shard)) for shard in shards]


def build_alone(job: DataJob) -> DatasetPlan:
    """Build the job's sets without Ray; returns the plan of the last one as it was before."""
    for p in plan(job):
        record(p, build_shards(p, range(len(p.shards))))
    return p


def contents(folder: Path | str) -> dict[str, str]:
    """Every file below a folder, hidden ones too, and the hash of what it holds."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()) for path in files}
