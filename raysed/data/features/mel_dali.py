"""The mel bands of `mel.py` by NVIDIA DALI, for batches of waveforms, on a GPU or the CPU.

This is the only
module that imports DALI. Results equal `mel_amplitude`'s within float32 rounding.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from nvidia.dali import fn, pipeline_def, types
from nvidia.dali.data_node import DataNode
from nvidia.dali.pipeline import Pipeline

from raysed.config.data_job import Features
from raysed.data.features.mel import frame_count, prepared

_PARTS = 4
"""Parts of a batch on a GPU: one is computed while the next is copied there and the last one back."""


class DaliMel:
    """DALI pipelines, built once. `device_id` None is DALI's CPU backend, with one thread and a batch as a whole, since
    a worker has one core; at most `batch` waveforms a call.
    """

    def __init__(self, features: Features, *, device_id: int | None, batch: int) -> None:
        self.features = features
        self.batch = batch
        on_gpu = device_id is not None
        self._at_once = -(-batch // _PARTS) if on_gpu else batch
        self._pipelines = [
            _mel_pipeline(
                features,
                on_gpu,
                batch_size=self._at_once,
                device_id=device_id,
                num_threads=_PARTS if on_gpu else 1,
                # One part in, one part out of each: two that take turns are what is prefetched.
                prefetch_queue_depth=1,
                exec_async=on_gpu,
                exec_pipelined=False,
            )
            for _ in range(2 if on_gpu else 1)
        ]
        for pipeline in self._pipelines:
            pipeline.build()

    def __call__(self, waveforms: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the amplitude mels (frames, F) float32 of mono waveforms. Raises ValueError as
        `mel_amplitude` does.
        """
        if len(waveforms) > self.batch:
            raise ValueError(f"{len(waveforms)} waveforms for a pipeline built for {self.batch}")
        samples = [prepared(waveform_T, self.features) for waveform_T in waveforms]
        parts = [samples[n : n + self._at_once] for n in range(0, len(samples), self._at_once)]
        counts = [frame_count(len(sample_T), self.features) for sample_T in samples]
        mels = in_turns(self._pipelines, parts)
        return [mel_TF[:count] for mel_TF, count in zip(mels, counts, strict=True)]


def in_turns(pipelines: Sequence[Pipeline], parts: Iterable[list[np.ndarray]]) -> list[np.ndarray]:
    """Return the outputs of all parts, clip by clip. Each pipeline takes a part as soon as its last one is fetched."""
    found: list[np.ndarray] = []
    idle, busy = deque(pipelines), deque[Pipeline]()
    for part in parts:
        if not idle:
            found += _fetched(busy[0])
            idle.append(busy.popleft())
        idle[0].feed_input("waveform", part)
        idle[0].schedule_run()
        busy.append(idle.popleft())
    for pipeline in busy:
        found += _fetched(pipeline)
    return found


def _fetched(pipeline: Pipeline) -> list[np.ndarray]:
    (mels,) = pipeline.outputs()
    mels = mels.as_cpu()
    # Copied: DALI reuses its output buffer in the next call.
    return [np.array(mels[n]) for n in range(len(mels))]


@pipeline_def
def _mel_pipeline(features: Features, on_gpu: bool) -> DataNode:
    waveform = fn.external_source(name="waveform", dtype=types.DALIDataType.FLOAT, ndim=1)
    spectrum = fn.spectrogram(
        waveform.gpu() if on_gpu else waveform,
        nfft=features.n_fft,
        window_length=features.n_fft,
        window_step=features.hop,
        window_fn=np.hamming(features.n_fft).tolist(),
        power=1,
        center_windows=True,
        reflect_padding=True,
        layout="tf",
    )
    return fn.mel_filter_bank(
        spectrum,
        sample_rate=features.sample_rate_hz,
        nfilter=features.n_mels,
        freq_low=features.low_hz,
        freq_high=features.high_hz,
        mel_formula="slaney",
        normalize=False,
    )
