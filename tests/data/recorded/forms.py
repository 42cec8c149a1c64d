"""Small files of each form in which people keep recordings and labels: as the public data sets' own, with noise for audio."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

RATE_HZ = 16000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (
        np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * RATE_HZ)).astype(np.float32)
    )


def audio(path: Path, seconds: float = 1.0, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise(seconds, seed), RATE_HZ)
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def desed_strong_real(root: Path) -> None:
    """DESED's strongly labelled real clips: audio/train/strong_label_real and metadata/train/audioset_strong.tsv."""
    for n, name in enumerate(("Y00pbt6aJV8Y_350.000_360.000.wav", "Y0a1b_0.000_10.000.wav")):
        audio(root / "audio/train/strong_label_real" / name, seed=n)
    text(
        root / "metadata/train/audioset_strong.tsv",
        "filename\tonset\toffset\tevent_label\n"
        "Y00pbt6aJV8Y_350.000_360.000.wav\t0.0\t0.9\tVacuum_cleaner\n"
        "Y0a1b_0.000_10.000.wav\t0.1\t0.4\tSpeech\n"
        "Y0a1b_0.000_10.000.wav\t0.2\t0.3\tDog\n"
        "Ygone_0.000_10.000.wav\t0.2\t0.3\tDog\n",
    )


def maestro_real(root: Path) -> None:
    """MAESTRO real: one text file a recording, a row for each second and class, with the annotators' value."""
    audio(root / "development_audio/cafe_restaurant/cafe_restaurant_00.wav", 4.0, seed=1)
    text(
        root / "development_annotation/soft_labels_cafe_restaurant/cafe_restaurant_00.txt",
        "0\t1\tpeople talking\t0.25\n0\t1\tcutlery and dishes\t0.8\n1\t2\tpeople talking\t0.75\n"
        "2\t3\tpeople talking\t1.0\n3\t4\tpeople talking\t0.0\n",
    )


def audioset_strong(root: Path) -> None:
    """AudioSet's strong labels: segments by YouTube id and start in milliseconds, labels by machine ids."""
    audio(root / "audio/Yb0RFKhbpFJA_30.000_40.000.wav", seed=1)
    audio(root / "audio/-0RWZT-miFs_420.000_430.000.wav", seed=2)
    text(
        root / "audioset_train_strong.tsv",
        "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n"
        "b0RFKhbpFJA_30000\t0.000\t0.9\t/m/03m9d0z\n"
        "b0RFKhbpFJA_30000\t0.2\t0.5\t/m/05zppz\n"
        "-0RWZT-miFs_420000\t0.1\t0.7\t/m/05zppz\n",
    )
    text(
        root / "mid_to_display_name.tsv", "/m/03m9d0z\tWind\n/m/05zppz\tMale speech, man speaking\n"
    )


def urban_sed(root: Path, old: bool = False) -> None:
    """URBAN-SED: JAMS by Scaper, the background an observation of its own; `old` keeps observations as columns."""
    audio(root / "audio/train/soundscape_train_uniform0.wav", seed=3)
    values = [
        {"label": "noise", "role": "background"},
        {"label": "siren", "role": "foreground"},
        {"label": "dog_bark", "role": "foreground"},
    ]
    columns = {
        "time": [0.0, 0.25, 0.5],
        "duration": [1.0, 0.5, 0.25],
        "confidence": [1.0] * 3,
        "value": values,
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    space = "sound_event" if old else "scaper"
    document = {
        "annotations": [{"namespace": space, "data": columns if old else rows}],
        "file_metadata": {},
    }
    text(root / "annotations/train/soundscape_train_uniform0.jams", json.dumps(document))


def wild_desed(root: Path) -> None:
    """WildDESED: DESED's table, the audio once for each level of noise."""
    for n, level in enumerate(("clean", "-5dB")):
        audio(root / f"audio/{level}/12.wav", seed=n)
    text(
        root / "metadata/train.tsv", "filename\tonset\toffset\tevent_label\n12.wav\t0.1\t0.5\tDog\n"
    )


def esc_folders(
    root: Path, clips: int = 4, classes: tuple[str, ...] = ("dog", "rain"), seconds: float = 0.5
) -> None:
    """One folder a class, as ESC-50 and the like are often kept."""
    for k, label in enumerate(classes):
        for n in range(clips):
            audio(root / label / f"{k}-{n:03d}.wav", seconds, seed=10 * k + n)


def encoded(seconds: float = 1.0, seed: int = 0, form: str = "FLAC") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, noise(seconds, seed), RATE_HZ, format=form)
    return buffer.getvalue()


def hugging_face(path: Path, clips: int = 5, first: int = 0) -> Path:
    """Parquet as `datasets` writes it: audio as {bytes, path}, a ClassLabel, and names in the schema's metadata."""
    features = {
        "audio": {"sampling_rate": RATE_HZ, "_type": "Audio"},
        "label": {"names": ["dog", "rain"], "_type": "ClassLabel"},
    }
    table = pa.table(
        {
            "audio": pa.array(
                [{"bytes": encoded(1.0, first + n), "path": f"{n}.flac"} for n in range(clips)],
                pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            ),
            "label": pa.array([n % 2 for n in range(clips)], pa.int64()),
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=2)
    return path
