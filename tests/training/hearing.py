"""Sets with waveforms and an encoder's rows of them, and trials that tune the encoder."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from raysed.config.encoder import EmbeddingFusion, Encoder, FineTuning
from raysed.data.encoders.clip_rows import embed_clips
from raysed.data.encoders.opening import find_encoder, open_encoder
from raysed.data.features.embeddings import stored_embedding
from tests.data.encoders.small import atst_checkpoint, beats_checkpoint, m2d_checkpoint, stored
from tests.training.tiny import sets, trial, with_waveforms

CHECKPOINTS = {"atst": atst_checkpoint, "beats": beats_checkpoint, "m2d": m2d_checkpoint}


class Own:
    """A class of one's own that can be trained: a line of each hop's samples."""

    sample_rate_hz, hop, span, width = 16000, 400, 400, 3

    def __init__(self, path=None, layers=None, device="cpu"):
        self.network = nn.Sequential(nn.Linear(400, 8), nn.Tanh(), nn.Linear(8, 3))
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for weights in self.network.parameters():
                weights.normal_(0, 0.3, generator=generator)

    def rows(self, waveform_BT):
        return self.network(waveform_BT.unfold(1, 400, 400))

    def __call__(self, waveform_BT):
        with torch.no_grad():
            return self.rows(torch.from_numpy(waveform_BT)).numpy()


def encoder_config(kind, folder):
    if kind == "own":
        return Encoder(kind="python", python=f"{__name__}:Own")
    return Encoder(kind=kind, path=stored(folder / f"{kind}.pt", CHECKPOINTS[kind]()))


def heard_sets(config, layers=None):
    """The sets with waveforms, and the encoder's rows of them."""
    found = find_encoder(config, layers)
    opened = open_encoder(found, "cpu")
    heard = {}
    for name, each in sets().items():
        made = with_waveforms(each)
        clips = [waveform_T.astype(np.float32) for waveform_T in made.waveforms]
        rows = embed_clips(opened, clips, made.features)
        kept = tuple(stored_embedding(rows_RE, found.facts, made.features) for rows_RE in rows)
        heard[name] = replace(made, encoder=found.facts, embeddings=kept, encoder_file=config.path)
    return heard


def tuning(width, rate=1e-3, decay=0.5, **change):
    finetune = FineTuning(learning_rate=rate, layer_decay=decay)
    fusion = EmbeddingFusion(fusion="pool", width=width, finetune=finetune)
    return trial(model=trial().model.model_copy(update={"embedding": fusion}), **change)
