"""The mel bands of `mel.py` by NVIDIA DALI, for batches of waveforms, on a GPU or the CPU.

This is the only
module that imports DALI. Results equal `mel_amplitude`'s within float32 rounding.
"""

from collections.abc import Sequence

import numpy as np
from nvidia.dali import fn, pipeline_def, types
from nvidia.dali.data_node import DataNode

from raysed.config.data_job import Features
from raysed.data.features.mel import frame_count, prepared


class DaliMel:
    """A DALI pipeline, built once. `device_id` None is DALI's CPU backend; at most `batch`
    waveforms a call.
    """

    def __init__(self, features: Features, *, device_id: int | None, batch: int) -> None:
        self.features = features
        self.batch = batch
        self._on_gpu = device_id is not None
        self._pipeline = _mel_pipeline(
            features,
            self._on_gpu,
            batch_size=batch,
            device_id=device_id,
            num_threads=1,
            # One call in, one call out: nothing is prefetched.
            prefetch_queue_depth=1,
            exec_async=False,
            exec_pipelined=False,
        )
        self._pipeline.build()

    def __call__(self, waveforms: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the amplitude mels (frames, F) float32 of mono waveforms. Raises ValueError as
        `mel_amplitude` does.
        """
        if not waveforms:
            return []
        if len(waveforms) > self.batch:
            raise ValueError(f"{len(waveforms)} waveforms for a pipeline built for {self.batch}")
        samples = [prepared(waveform_T, self.features) for waveform_T in waveforms]
        self._pipeline.feed_input("waveform", samples)
        (mels,) = self._pipeline.run()
        if self._on_gpu:
            mels = mels.as_cpu()
        counts = [frame_count(len(sample_T), self.features) for sample_T in samples]
        # Copied: DALI reuses its output buffer in the next call.
        return [np.array(mels[n])[:count] for n, count in enumerate(counts)]


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
