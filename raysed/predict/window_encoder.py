"""An encoder as prediction uses it: the rows of one window after the other, in any thread or process."""

import copy
import io
import threading
from typing import Any

import numpy as np
import torch

from raysed.config.data_job import Features
from raysed.config.encoder import EncoderFacts, configured
from raysed.config.trial import Model
from raysed.data.encoders.clip_rows import embed_clips
from raysed.data.encoders.frame_encoder import FrameEncoder
from raysed.data.encoders.opening import FoundEncoder, open_encoder, sha256_of
from raysed.data.features.embeddings import stored_embedding
from raysed.training.tuned_network import TunedNetwork, audio_of


class WindowEncoder:
    """An encoder that is opened when its first rows are asked for, and again in each process it is sent to."""

    def __init__(self, found: FoundEncoder, features: Features, device: str) -> None:
        self.found, self.features, self.device = found, features, device
        self._opened: FrameEncoder | None = None
        self._lock = threading.Lock()

    @property
    def facts(self) -> EncoderFacts:
        """Return what is known of it."""
        return self.found.facts

    def rows(self, waveform_T: np.ndarray) -> np.ndarray:
        """Return the rows (R, E) of a window as a data set stores them: float16, zeros after its own."""
        with self._lock:
            if self._opened is None:
                self._opened = open_encoder(self.found, self.device)
        (rows_RE,) = embed_clips(self._opened, [waveform_T], self.features)
        return stored_embedding(rows_RE, self.facts, self.features)

    def on(self, device: str) -> "WindowEncoder":
        """Return the same encoder for another device."""
        return WindowEncoder(self.found, self.features, device)

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels: sessions and locks do not."""
        return {"found": self.found, "features": self.features, "device": self.device}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


class TunedWindowEncoder:
    """The encoder that has learnt with a network, from the network's own checkpoint; its rows are not rounded."""

    def __init__(
        self, tuned: TunedNetwork, facts: EncoderFacts, about: tuple[Features, Model]
    ) -> None:
        self.tuned, self.facts, self._about = tuned, facts, about

    def rows(self, waveform_T: np.ndarray) -> np.ndarray:
        """Return the rows (R, E) float32 of a window, zeros after its own."""
        device = next(self.tuned.encoder.parameters()).device
        waveform_1T = torch.from_numpy(waveform_T).to(device)[None]
        audio = audio_of(waveform_1T, np.array([len(waveform_T)]), self.facts, self._about)
        with torch.inference_mode():
            return self.tuned.rows(audio)[0].cpu().numpy()

    def on(self, device: str) -> "TunedWindowEncoder":
        """Return the same encoder on another device."""
        return TunedWindowEncoder(copy.deepcopy(self.tuned).to(device), self.facts, self._about)

    def as_checkpoint(self) -> bytes:
        """Return the encoder's weights as a file that a data job takes as `path` of its kind."""
        buffer = io.BytesIO()
        torch.save({"model": self.tuned.encoder.state_dict()}, buffer)
        return buffer.getvalue()


def window_encoder(
    facts: EncoderFacts | None, given: str | None, features: Features, device: str
) -> WindowEncoder | None:
    """Return the encoder that a checkpoint's network needs, whose file a user gives; None where it needs none.

    Raises ValueError where none is given, where it is another, and where it is given for nothing.
    """
    if facts is None:
        if given is not None:
            raise ValueError(f"--encoder {given}: the checkpoint's network takes no embeddings")
        return None
    kind = facts.encoder["kind"]
    if given is None and kind != "python":
        raise ValueError(
            f"the checkpoint's network takes the embeddings of an encoder ({kind}, SHA-256 {facts.sha256[:12]}…): give its"
            " file with --encoder"
        )
    config = configured(facts, given)
    if (sha256 := sha256_of(config)) != facts.sha256:
        raise ValueError(
            f"--encoder {given}: is another encoder than the network was trained with: its SHA-256 is"
            f" {sha256[:12]}…, expected {facts.sha256[:12]}…"
        )
    return WindowEncoder(FoundEncoder(config, facts), features, device)
