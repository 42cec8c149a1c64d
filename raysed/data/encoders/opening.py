"""The registry of encoders: each kind by its name, the hash of its files, and where people get them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from raysed.config.encoder import Encoder, EncoderFacts, configured
from raysed.data.encoders.frame_encoder import FrameEncoder
from raysed.data.encoders.own_class import own_encoder
from raysed.data.encoders.speech_embedding import FRONT_END, NETWORK, SpeechEmbedding
from raysed.draws import draws
from raysed.storage.own_python import source_file

_WHERE = {
    "beats": "BEATs_iter3+ (AS2M) of https://github.com/microsoft/unilm/tree/master/beats",
    "atst": "atstframe_base.ckpt of https://github.com/Audio-WestlakeU/audiossl (ATST-Frame), or atst_as2M.ckpt of"
    " https://github.com/Audio-WestlakeU/ATST-SED",
    "m2d": "an archive of https://github.com/nttcslab/m2d/releases, such as m2d_vit_base-80x1001p16x16-221006-mr7_as",
    "cnn14": "Cnn14_mAP=0.431.pth of https://zenodo.org/records/3987831",
    "openwakeword": f"the wheel of openwakeword 0.4.0 holds {FRONT_END} and {NETWORK} in openwakeword/resources/models",
    "onnx": "give the file of your encoder",
    "torchscript": "give the file of your encoder",
    "python": "give the file that your class reads",
}
Layers = Sequence[int | str] | None


@dataclass(frozen=True)
class FoundEncoder:
    """An encoder whose files are there; small, so that it travels to workers, which open it."""

    config: Encoder
    facts: EncoderFacts


def find_encoder(config: Encoder, layers: tuple[int | str, ...] | None) -> FoundEncoder:
    """Open an encoder once to learn its sizes, and hash its files. Raises ValueError for one that is not there or of
    another kind.
    """
    return _found(config, layers, tuple((str(p), *_stat(p)) for p in files_of(config)))


@lru_cache(maxsize=8)
def _found(config: Encoder, layers: tuple[int | str, ...] | None, _state: object) -> FoundEncoder:
    """Find an encoder again only where its files have changed."""
    opened = make_encoder(config, layers, "cpu")
    kept = config.model_dump(mode="json", exclude_defaults=True, exclude={"path", "licence"})
    facts = EncoderFacts(
        encoder=kept,
        layers=layers,
        sha256=sha256_of(config),
        sample_rate_hz=opened.sample_rate_hz,
        hop=opened.hop,
        width=opened.width,
        licence=config.licence or opened.licence,
    )
    return FoundEncoder(config, facts)


def open_encoder(found: FoundEncoder, device: str) -> FrameEncoder:
    """Open an encoder on a device. Raises ValueError where its files are not those that were found."""
    now = sha256_of(found.config)
    if now != found.facts.sha256:
        raise ValueError(
            f"{found.config.path or found.config.python}: is another encoder than the one that is wanted: its SHA-256 is"
            f" {now[:12]}…, expected {found.facts.sha256[:12]}…"
        )
    return make_encoder(found.config, found.facts.layers, device)


def files_of(config: Encoder) -> list[Path]:
    """Return the files of an encoder. Raises ValueError naming one that is missing, and where people get it."""
    files = [] if config.path is None else [Path(config.path).expanduser()]
    if config.kind == "openwakeword":
        files = [files[0] / name for name in (FRONT_END, NETWORK)]
    for file in files:
        if not file.is_file():
            raise ValueError(
                f"{file}: no such file, the {config.kind} encoder's. It is not downloaded: {_WHERE[config.kind]}"
            )
    return files if config.python is None else [*files, source_file(config.python)]


def sha256_of(config: Encoder) -> str:
    """Return the hash of an encoder's files: of one file its own, of several that of their hashes."""
    hashes = []
    for path in files_of(config):
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def make_encoder(config: Encoder, layers: Layers, device: str) -> FrameEncoder:
    """Open an encoder of any kind. Raises ValueError naming its file and what is wrong with it."""
    files_of(config)
    # A network is made with weights that torch draws, and then gets its own.
    with draws():
        return _MAKERS[config.kind](config, layers, device)


def _onnx(config: Encoder, layers: Layers, device: str) -> FrameEncoder:
    from raysed.data.encoders.onnx_file import OnnxEncoder

    return OnnxEncoder(config, layers, device)


def _torchscript(config: Encoder, layers: Layers, device: str) -> FrameEncoder:
    from raysed.data.encoders.script_file import ScriptEncoder

    return ScriptEncoder(config, layers, device)


def _openwakeword(config: Encoder, layers: Layers, device: str) -> FrameEncoder:
    return SpeechEmbedding(str(Path(config.path or "").expanduser()), layers, device)


def _network(config: Encoder, layers: Layers, device: str) -> FrameEncoder:
    from raysed.data.encoders.published_weights import read_published

    assert config.path is not None, "checked by Encoder"
    if config.kind == "m2d" and "p32k" in config.path and config.sample_rate_hz != 32000:
        raise ValueError(
            f"{config.path}: the name of an M2D for 32 kHz, which its weights do not tell; add `sample_rate_hz: 32000`"
        )
    content = read_published(config.path)
    try:
        return _of_content(content, config, layers, device)
    except ValueError as error:
        raise ValueError(f"{config.path}: {error}") from error


def _of_content(
    content: dict[str, Any], config: Encoder, layers: Layers, device: str
) -> FrameEncoder:
    """Return a network with the weights of a checkpoint."""
    from raysed.data.encoders.atst import AtstEncoder
    from raysed.data.encoders.beats import BeatsEncoder
    from raysed.data.encoders.cnn14 import Cnn14Encoder
    from raysed.data.encoders.m2d import M2dEncoder

    if config.kind == "m2d":
        return M2dEncoder(content, layers, device, config.sample_rate_hz or 16000)
    kinds = {"atst": AtstEncoder, "beats": BeatsEncoder, "cnn14": Cnn14Encoder}
    return kinds[config.kind](content, layers, device)


def with_weights(facts: EncoderFacts, weights: dict[str, Any], file: str | None) -> FrameEncoder:
    """Return an encoder with the weights that a training has left, by its network's own names; `file` is what a class of
    one's own reads.
    """
    config = configured(facts, file or (None if facts.encoder["kind"] == "python" else "weights"))
    if config.kind != "python":
        with draws():
            return _of_content({"model": weights}, config, facts.layers, "cpu")
    made: Any = make_encoder(config, facts.layers, "cpu")
    made.network.load_state_dict(weights)
    return made


_MAKERS: dict[str, Callable[[Encoder, Layers, str], FrameEncoder]] = {
    "onnx": _onnx,
    "torchscript": _torchscript,
    "python": own_encoder,
    "openwakeword": _openwakeword,
    "cnn14": _network,
    "beats": _network,
    "atst": _network,
    "m2d": _network,
}


def _stat(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
