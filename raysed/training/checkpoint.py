"""Checkpoints: plain tensors and JSON, written atomically, loadable with `weights_only=True`.

`last.pt` holds all that resuming needs, and `best-<x-valid set>.pt` all that predicting needs.
"""

import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from raysed import __version__
from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts
from raysed.config.reader import validate
from raysed.config.trial import Trial
from raysed.model.network import make_network
from raysed.storage.folder import Folder
from raysed.training.inputs import Normaliser
from raysed.training.mean_teacher import tuned
from raysed.training.safetensors_file import is_safetensors, parse_safetensors
from raysed.training.tuned_network import tuned_encoder

CHECKPOINT_FORMAT = 1
_PREDICTOR = {"student", "teacher", "mean_F", "std_F", "trial", "features", "classes", "epoch"}
_ZIP = b"PK\x03\x04"
# The errors of zipfile and torch for bytes of another format, and of Python for unexpected objects in them.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, pickle.UnpicklingError),
    *(RuntimeError, ValueError, TypeError, KeyError, AttributeError),
)


@dataclass(frozen=True)
class Predictor:
    """Trained networks, with everything that is needed to turn audio into events."""

    student: nn.Module
    teacher: nn.Module
    normaliser: Normaliser
    trial: Trial
    features: Features
    classes: tuple[str, ...]
    epoch: int
    encoder: EncoderFacts | None = None
    """The encoder whose rows the networks take; None where they take none."""

    @property
    def model(self) -> nn.Module:
        """Return the network that the trial selects."""
        return self.teacher if self.trial.selection.network == "teacher" else self.student


def save_checkpoint(
    folder: Folder, name: str, tensors: dict[str, Any], about: dict[str, Any]
) -> None:
    """Write tensors in nested dicts, and JSON about them."""
    about = {
        **about,
        "format": CHECKPOINT_FORMAT,
        "raysed": __version__,
        "torch": torch.__version__,
    }
    buffer = io.BytesIO()
    torch.save({"about": json.dumps(about), **tensors}, buffer)
    folder.write(name, buffer.getvalue())


def load_checkpoint(folder: Folder, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a checkpoint as (tensors, about). Raises ValueError where there is no such file; see
    `parse_checkpoint`.
    """
    content = folder.read(name)
    if content is None:
        raise ValueError(f"{folder.url}/{name}: no such checkpoint")
    return parse_checkpoint(content, f"{folder.url}/{name}")


def parse_checkpoint(content: bytes, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (tensors, about) of a checkpoint's bytes. Raises ValueError naming `path` where it is not a
    checkpoint of raysed, truncated or damaged.
    """
    if is_safetensors(content):
        tensors, about = parse_safetensors(content, path)
        return _of_this_format(tensors, about, path)
    if not content.startswith(_ZIP):
        raise ValueError(
            f"{path}: not a whole raysed checkpoint (it begins with {content[:8]!r}, expected {_ZIP!r})"
        )
    try:
        # torch writes checksums and does not compare them.
        if damaged := zipfile.ZipFile(io.BytesIO(content)).testzip():
            raise ValueError(f"{damaged} is damaged")
        tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        about = json.loads(tensors.pop("about"))
        about.keys()  # an object
    except pickle.UnpicklingError as error:
        # torch's own message advises loading it without the check that refuses it.
        raise ValueError(
            f"{path}: not a whole raysed checkpoint (it holds other objects than tensors and text)"
        ) from error
    except _UNREADABLE as error:
        raise ValueError(f"{path}: not a whole raysed checkpoint ({error})") from error
    return _of_this_format(tensors, about, path)


def _of_this_format(
    tensors: dict[str, Any], about: dict[str, Any], path: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a checkpoint's parts. Raises ValueError where they are of another format's version."""
    found = about.get("format")
    if found != CHECKPOINT_FORMAT:
        raise ValueError(f"{path}: checkpoint format {found}, expected {CHECKPOINT_FORMAT}")
    return tensors, about


def require(
    found: Collection[str], wanted: Collection[str], about: dict[str, Any], path: str
) -> None:
    """Raise ValueError naming the parts that a checkpoint lacks."""
    if missing := sorted(set(wanted) - set(found)):
        raise ValueError(
            f"{path}: of another version of raysed ({about.get('raysed', 'unknown')}), or edited:"
            f" it lacks {', '.join(missing)}"
        )


def save_predictor(folder: Folder, name: str, predictor: Predictor) -> None:
    """Write a model with its normaliser, configuration and class list, and what its encoder is."""
    encoder = predictor.encoder
    save_checkpoint(
        folder,
        name,
        {
            "student": predictor.student.state_dict(),
            "teacher": predictor.teacher.state_dict(),
            "mean_F": predictor.normaliser.mean_F,
            "std_F": predictor.normaliser.std_F,
        },
        {
            "trial": predictor.trial.model_dump(mode="json"),
            "features": predictor.features.model_dump(mode="json"),
            "classes": list(predictor.classes),
            "epoch": predictor.epoch,
            **({} if encoder is None else {"encoder": encoder.model_dump(mode="json")}),
        },
    )


def load_predictor(folder: Folder, name: str, encoder_file: str | None = None) -> Predictor:
    """Read what `save_predictor` wrote. Raises ValueError naming the file and what is wrong with it."""
    return make_predictor(*load_checkpoint(folder, name), f"{folder.url}/{name}", encoder_file)


def make_predictor(
    tensors: dict[str, Any], about: dict[str, Any], path: str, encoder_file: str | None = None
) -> Predictor:
    """Return the networks of a parsed checkpoint; `encoder_file` is what a tuned encoder of one's own class reads.

    Raises ValueError naming `path` and what is wrong with it.
    """
    if "networks" in tensors:
        raise ValueError(f"{path}: holds a training state; to predict, take checkpoints/best-*.pt")
    require({**tensors, **about}, _PREDICTOR, about, path)
    trial = validate(about["trial"], Trial, source=path)
    if trial.model.embedding is not None:
        require(about, {"encoder"}, about, path)
    networks = {}
    for network in ("student", "teacher"):
        networks[network] = make_network(trial.model, len(about["classes"])).eval()
        if trial.tunes_encoder:
            facts = EncoderFacts.of(about["encoder"])
            encoder = tuned_encoder(tensors[network], facts, encoder_file)
            networks[network] = tuned(networks[network], encoder, trial.model).eval()
        try:
            networks[network].load_state_dict(tensors[network])
        except RuntimeError as error:
            raise ValueError(
                f"{path}: weights do not fit the stored configuration: {error}"
            ) from error
    return Predictor(
        **networks,
        normaliser=Normaliser(tensors["mean_F"], tensors["std_F"]),
        trial=trial,
        features=validate(about["features"], Features, source=path),
        classes=tuple(about["classes"]),
        epoch=about["epoch"],
        encoder=EncoderFacts.of(about["encoder"]) if "encoder" in about else None,
    )
