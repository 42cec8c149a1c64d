"""`raysed export --hub FOLDER`: a checkpoint as a model hub expects it, safetensors with a model card."""

import json
from pathlib import Path

from raysed.predict.detector import Checkpoint
from raysed.storage.folder import Folder
from raysed.training.safetensors_file import encode_safetensors

WEIGHTS, CARD, CONFIG = "model.safetensors", "README.md", "config.json"


def write_hub(checkpoint: Checkpoint, out: Path) -> list[str]:
    """Write weights, configuration and card into a folder; return the names of the files.

    Raises ValueError where the folder holds files of another kind, which a push would publish.
    """
    if out.is_dir() and (others := sorted(p.name for p in out.iterdir() if not _is_ours(p))):
        raise ValueError(
            f"{out}: holds {others[0]}, which would be published too: give an empty folder"
        )
    about = checkpoint.about
    files = {
        WEIGHTS: encode_safetensors(checkpoint.tensors, about),
        CONFIG: (json.dumps({"model_type": "raysed", **about}, indent=2) + "\n").encode(),
        CARD: model_card(checkpoint).encode(),
    }
    for name, content in files.items():
        Folder(str(out)).write(name, content)
    return list(files)


def _is_ours(path: Path) -> bool:
    return path.name in (WEIGHTS, CARD, CONFIG) or path.name.startswith(".git")


def model_card(checkpoint: Checkpoint) -> str:
    """Return the card: what the model is, hears, was trained on and how it is used; results are its owner's to add."""
    predictor, about = checkpoint.predictor, checkpoint.about
    trial, features = predictor.trial, predictor.features
    weights = sum(p.numel() for p in predictor.model.parameters())
    trained = ", ".join(f"{subset}: {name}" for subset, name in trial.used_subsets().items())
    changed = json.dumps(trial.identity(), indent=2)
    return f"""---
library_name: raysed
pipeline_tag: audio-classification
tags: [sound-event-detection, raysed]
---
# Sound event detection: {len(predictor.classes)} classes

A mean-teacher CRNN of {weights:,} weights that says which of its classes sound when. Made with raysed {about["raysed"]}, torch
{about["torch"]}.

* Classes: {", ".join(predictor.classes)}.
* Input: mono audio of any length, resampled to {features.sample_rate_hz} Hz, in windows of {features.duration_s:g} s; {features.n_mels}
  mel bands from {features.low_hz:g} to {features.high_hz:g} Hz.
* Output: scores every {1000 * trial.model.time_pooling * features.hop / features.sample_rate_hz:.4g} ms, and events by: {checkpoint.settings}.
* Trained on the data sets {trained}. Epoch {predictor.epoch + 1} was selected by {", ".join(trial.data.xvalid)} ({trial.selection.rule});
  the {trial.selection.network} is used.

## Use

    pip install 'raysed[hub]'
    raysed predict {WEIGHTS} recording.wav

```python
import raysed

detector = raysed.Detector.load("{WEIGHTS}")
events = detector(waveform, sample_rate)
```

## Limits
It knows its classes only, as they sound in its training data. Scores are no probabilities. Values on another set need that
set: `raysed score` gives them with intervals.

## Configuration
What differs from the published system's; `{CONFIG}` holds everything.

```json
{changed}
```
"""
