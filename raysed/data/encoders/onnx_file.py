"""Any ONNX file as an encoder: a waveform (B, T) in, rows (B, R, E) out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from raysed.config.encoder import Encoder
from raysed.data.encoders.given_rows import GivenRows


def onnx_session(content: str | bytes, device: str) -> Any:
    """Return an ONNX Runtime session of one thread, from a path or bytes. Raises ValueError for what is no model, and
    where ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError(f"{error}: install it with `pip install 'raysed[encoders]'`") from error
    options = onnxruntime.SessionOptions()
    # Ray places as many workers as there are cores, and the order of sums must not depend on threads.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if (
        device.startswith("cuda")
        and "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    ):
        providers.insert(0, "CUDAExecutionProvider")
    try:
        return onnxruntime.InferenceSession(content, options, providers=providers)
    except Exception as error:  # its errors have no common class but Exception
        told = content if isinstance(content, str) else "the changed model"
        raise ValueError(f"{told}: not an ONNX model ({error})") from error


class OnnxEncoder(GivenRows):
    """A network of which the configuration says how its rows lie in time."""

    def __init__(self, config: Encoder, layers: Sequence[int | str] | None, device: str) -> None:
        super().__init__(config)
        self._session = onnx_session(self.path, device)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        names = [output.name for output in outputs]
        self._input, self._outputs = inputs[0].name, [str(layer) for layer in layers or names[:1]]
        if unknown := sorted(set(self._outputs) - set(names)):
            raise ValueError(
                f"{config.path}: has no outputs {', '.join(unknown)}; it has {', '.join(names)}"
            )
        if len(inputs) != 1 or len(inputs[0].shape) != 2:
            shapes = ", ".join(f"{each.name} {each.shape}" for each in inputs)
            raise ValueError(
                f"{config.path}: takes {shapes}; expected one input, waveforms (batch, samples)"
            )
        batch = inputs[0].shape[0]
        self._batch = batch if isinstance(batch, int) else None
        self.width = self(np.zeros((1, self.window or self.span), np.float32)).shape[2]

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        """Return the rows of waveforms; a file made for one batch size gets one after the other."""
        if self._batch == 1 and len(waveform_BT) > 1:
            return np.concatenate([self(waveform_BT[n : n + 1]) for n in range(len(waveform_BT))])
        try:
            found = self._session.run(self._outputs, {self._input: waveform_BT})
        except Exception as error:  # as above
            shape = list(waveform_BT.shape)
            raise ValueError(
                f"the encoder cannot take waveforms {shape} ({error}); does it need `fixed_length`?"
            ) from error
        return side_by_side(found, self._outputs)


def side_by_side(found: Sequence[np.ndarray], names: Sequence[int | str]) -> np.ndarray:
    """Return the values of several layers in one row each. Raises ValueError where they are no rows."""
    for name, rows in zip(names, found, strict=True):
        if rows.ndim != 3 or rows.shape[:2] != found[0].shape[:2]:
            raise ValueError(
                f"the encoder's output {name} has the shape {list(rows.shape)}; expected (batch, rows, values), as many"
                " rows from each layer"
            )
    return np.concatenate([np.asarray(rows, np.float32) for rows in found], axis=2)
