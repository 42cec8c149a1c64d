"""A network whose encoder learns with it: both hear a clip, one its mel and the other its waveform.

B clips, T samples, R rows, E values. The rows are those that a data set stores, but computed anew at each step and
not rounded to float16.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts, FineTuning, configured
from raysed.config.trial import Model, Trial
from raysed.data.encoders.frame_encoder import FrameEncoder, Piece, pieces_of
from raysed.data.encoders.opening import FoundEncoder, open_encoder, with_weights
from raysed.data.encoders.torch_encoder import block_of
from raysed.data.features.store import FeatureSet
from raysed.model.fusion import Stream
from raysed.training.embedding_rows import output_frame_s, stream_of_clips


class TrainedEncoder(FrameEncoder, Protocol):
    """An encoder that gives gradients."""

    network: nn.Module
    layers: tuple[int, ...]

    def rows(self, waveform_BT: Tensor) -> Tensor:
        """Return the rows (B, R, E) of float32 waveforms on the network's device."""
        ...


class Audio(NamedTuple):
    """The waveforms of a batch of clips, for the encoder."""

    waveform_BT: Tensor
    """float32, on the device."""
    samples_B: np.ndarray
    """Each clip's own samples."""
    rows: int
    """Rows of a full-length clip, to which those of shorter ones are filled up with zeros."""
    frames_per_row: float


class TunedNetwork(nn.Module):
    """A network beside the encoder whose rows it takes; the encoder's batch norms keep their statistics."""

    def __init__(self, network: nn.Module, encoder: TrainedEncoder, finetune: FineTuning) -> None:
        super().__init__()
        self.network, self.encoder = network, encoder.network
        self.frame_encoder, self.frozen = encoder, finetune.learning_rate == 0
        last = last_block(encoder)
        for name, weights in self.encoder.named_parameters():
            block = block_of(name, self.encoder)
            used = last == depth(self.encoder) if block is None else block <= last
            weights.requires_grad_(weights.requires_grad and used and not self.frozen)

    def forward(
        self, mel_BTF: Tensor, annotated_BK: Tensor | None = None, audio: Audio | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return strong and weak scores of normalised log-mels and the waveforms that they are of."""
        assert audio is not None, "a network with an encoder takes waveforms"
        given = {} if annotated_BK is None else {"annotated_BK": annotated_BK}
        stream = Stream(self.rows(audio), audio.frames_per_row)
        return self.network(mel_BTF, **given, stream=stream)

    def rows(self, audio: Audio) -> Tensor:
        """Return the rows (B, R, E) of clips; in float32, whatever the precision of the other network."""
        learns = torch.is_grad_enabled() and not self.frozen
        exact = torch.autocast(audio.waveform_BT.device.type, enabled=False)
        with exact, torch.set_grad_enabled(learns):
            return _clip_rows(self.frame_encoder, audio)

    def train(self, mode: bool = True) -> "TunedNetwork":
        """Set the mode of the network; the encoder stays in that of evaluation."""
        super().train(mode)
        self.encoder.eval()
        return self


def untuned(network: nn.Module) -> nn.Module:
    """Return the network that takes rows: that beside an encoder, or the network itself."""
    return network.network if isinstance(network, TunedNetwork) else network


def depth(encoder: nn.Module) -> int:
    """Return the number of an encoder's blocks."""
    return max((block_of(n, encoder) or 0 for n, _ in encoder.named_parameters()), default=0)


def last_block(encoder: TrainedEncoder) -> int:
    """Return the last block whose rows are taken; those after it have no part in them."""
    asked = getattr(encoder, "layers", None)
    return max(asked) if asked else depth(encoder.network)


def learning_rates(tuned: TunedNetwork, finetune: FineTuning) -> dict[float, list[nn.Parameter]]:
    """Return the encoder's parameters that learn, by their learning rate after the ramp: learning_rate * layer_decay^(L - l)
    in block l of L, of which the last one that is taken is L.
    """
    last, found = last_block(tuned.frame_encoder), {}
    for name, weights in tuned.encoder.named_parameters():
        if weights.requires_grad:
            block = block_of(name, tuned.encoder)
            behind = 0 if block is None else last - block
            rate = finetune.learning_rate * finetune.layer_decay**behind
            found.setdefault(rate, []).append(weights)
    return found


def audio_of(
    waveform_BT: Tensor, samples_B: np.ndarray, facts: EncoderFacts, about: tuple[Features, Model]
) -> Audio:
    """Return what the encoder takes of waveforms (B, T) on the device, at the features' rate, which must be its own."""
    features, model = about
    own_B = np.minimum(samples_B, features.n_samples)
    frames_per_row = facts.row_s / output_frame_s(features, model)
    return Audio(waveform_BT.float(), own_B, facts.rows(features.duration_s), frames_per_row)


def encoder_arguments(
    feature_set: FeatureSet, rows: np.ndarray, model: Model, device: str
) -> dict[str, Any]:
    """Return what a network takes of some clips beside their mels: stored rows, waveforms for the encoder, or nothing."""
    if model.embedding is None or model.embedding.finetune is None:
        stream = stream_of_clips(feature_set, rows, model, device)
        return {} if stream is None else {"stream": stream}
    waveforms, facts = feature_set.waveforms, feature_set.encoder
    if waveforms is None or facts is None:
        raise ValueError(
            f"{feature_set.name} lacks waveforms or embeddings, which model.embedding.finetune needs: build it with"
            " `features.waveforms: true` and `embeddings`"
        )
    samples_B = np.array([len(waveforms[n]) for n in rows])
    padded_BT = np.zeros((len(rows), samples_B.max()), np.float32)
    for row_T, n in zip(padded_BT, rows, strict=True):
        row_T[: len(waveforms[n])] = waveforms[n]
    on_device = torch.from_numpy(padded_BT).to(device)
    return {"audio": audio_of(on_device, samples_B, facts, (feature_set.features, model))}


def encoder_opener(trial: Trial, first: FeatureSet) -> Callable[[], TrainedEncoder] | None:
    """Return what opens the encoder of a trial that tunes it, None for one that does not. Raises ValueError for an encoder
    that is not there, is another than the sets', or gives no gradients.
    """
    if not trial.tunes_encoder:
        return None
    facts, rate_hz = first.encoder, first.features.sample_rate_hz
    assert facts is not None, "check_rows saw to it"
    if facts.sample_rate_hz != rate_hz:
        raise ValueError(
            f"model.embedding.finetune needs waveforms at the encoder's {facts.sample_rate_hz} Hz, and {first.name} has"
            f" {rate_hz}: set features.sample_rate_hz in the data job"
        )
    if first.encoder_file is None and facts.encoder["kind"] != "python":
        raise ValueError(
            "model.embedding.finetune needs the encoder's file, which is that of the data job; this training was given none"
        )
    found = FoundEncoder(configured(facts, first.encoder_file), facts)
    return lambda: with_gradients(open_encoder(found, "cpu"), facts)


def tuned_encoder(
    weights: dict[str, Tensor], facts: EncoderFacts, file: str | None
) -> TrainedEncoder:
    """Return the encoder that the weights of a `TunedNetwork` hold; `file` is what a class of one's own reads."""
    prefix = "encoder."
    own = {name.removeprefix(prefix): v for name, v in weights.items() if name.startswith(prefix)}
    return with_gradients(with_weights(facts, own, file), facts)


def with_gradients(encoder: Any, facts: EncoderFacts) -> TrainedEncoder:
    """Return the encoder itself. Raises ValueError for one that cannot be trained."""
    network, rows = getattr(encoder, "network", None), getattr(encoder, "rows", None)
    if not isinstance(network, nn.Module) or not callable(rows):
        raise ValueError(
            f"model.embedding.finetune cannot train an encoder of kind {facts.encoder['kind']}: it needs `network`, a"
            " torch.nn.Module, and `rows`, which maps waveforms to rows with gradients"
        )
    return encoder


def _clip_rows(encoder: TrainedEncoder, audio: Audio) -> Tensor:
    """Return the rows of clips, each by its own length, as `embed` computes them."""
    parts: list[list[tuple[int, Tensor]]] = [[] for _ in audio.samples_B]
    for group in pieces_of(encoder, audio.samples_B.tolist()):
        inputs_BT = torch.stack([_cut(audio, piece) for piece in group])
        for piece, rows_RE in zip(group, encoder.rows(inputs_BT), strict=True):
            parts[piece.clip].append((piece.first, rows_RE[piece.skip : piece.skip + piece.keep]))
    whole = [torch.cat([rows for _, rows in sorted(each, key=_first)]) for each in parts]
    return torch.stack([F.pad(rows_RE, (0, 0, 0, audio.rows - len(rows_RE))) for rows_RE in whole])


def _first(part: tuple[int, Tensor]) -> int:
    return part[0]


def _cut(audio: Audio, piece: Piece) -> Tensor:
    """Return a piece of a clip with silence around it."""
    own_T = audio.waveform_BT[piece.clip, : int(audio.samples_B[piece.clip])]
    own_T = own_T[max(piece.start, 0) : max(piece.start + piece.samples, 0)]
    before = max(-piece.start, 0)
    return F.pad(own_T, (before, piece.samples - before - len(own_T)))
