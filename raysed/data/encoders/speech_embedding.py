"""Google's speech embedding as openWakeWord's package holds it: two ONNX files, 96 values every 80 ms.

The mel front end gives 32 bands every 10 ms; the network hears 76 of these frames and steps by 8. Its layers have no
padding in time and pool by 8 in all, so that a whole clip can go through them at once: the file's fixed length is
made free, which gives the values of window after window at a tenth of the work. Source: Lin et al., Training Keyword
Spotters with Limited and Synthesized Speech Data, 2020 (arXiv:2002.01322).
"""

from pathlib import Path
from typing import Any

import numpy as np

from raysed.data.encoders.onnx_file import onnx_session

FRONT_END, NETWORK = "melspectrogram.onnx", "embedding_model.onnx"
_FULL_SCALE = 32767.0
_FRAME, _FRAME_HOP, _FRAMES, _STEP = 512, 160, 76, 8


class SpeechEmbedding:
    """The two files as one network; `path` is their folder."""

    sample_rate_hz = 16000
    hop = _STEP * _FRAME_HOP
    span = (_FRAMES - 1) * _FRAME_HOP + _FRAME
    centre = span // 2 + 2080
    """The network hears the end of its 0.78 s best: the rows that a click changes have their centre of gravity, by the
    squared changes, 0.13 s before the rows whose middle it lies in (0.11 to 0.15 s over 4 kinds of clicks)."""
    window = None
    fixed = False
    width = 96
    licence = "Apache-2.0 (network, by Google); CC BY-NC-SA 4.0 (the package's collection)"

    def __init__(self, path: str, layers: object, device: str) -> None:
        if layers is not None:
            raise ValueError(f"layers {layers}: openwakeword has its last one alone; leave it out")
        self._front_end = onnx_session(str(Path(path, FRONT_END)), device)
        self._network = onnx_session(of_any_length(Path(path, NETWORK)), device)

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        """Return the rows of waveforms. The front end's floor is under the loudest value of all that it is given, so it
        is given one clip at a time.
        """
        pieces = [waveform_T[None] * np.float32(_FULL_SCALE) for waveform_T in waveform_BT]
        mels = [self._front_end.run(None, {"input": piece})[0][0, 0] for piece in pieces]
        # The transform that the package applies between the two.
        mel_BTF1 = np.stack(mels)[..., None] / np.float32(10) + np.float32(2)
        (rows_BER1,) = self._network.run(None, {self._network.get_inputs()[0].name: mel_BTF1})
        return rows_BER1[..., 0].transpose(0, 2, 1)


def of_any_length(path: Path) -> bytes:
    """Return the network with a free number of frames, whose output is (B, 96, rows, 1)."""
    try:
        import onnx
    except ImportError as error:
        raise ValueError(f"{error}: install it with `pip install 'raysed[encoders]'`") from error
    model = onnx.load(path)
    graph = model.graph
    for dimension in (0, 1):
        graph.input[0].type.tensor_type.shape.dim[dimension].dim_param = f"free_{dimension}"
    first, last = [node for node in graph.node if node.op_type == "Reshape"]
    # 0 keeps the batch, -1 is what the frames leave.
    _replace(graph, first.input[1], np.array([0, 1, -1, 34], np.int64))
    graph.output[0].CopyFrom(
        onnx.helper.make_tensor_value_info(
            last.input[0], onnx.TensorProto.FLOAT, ["batch", 96, "rows", 1]
        )
    )
    graph.node.remove(last)
    return model.SerializeToString()


def _replace(graph: Any, name: str, values: np.ndarray) -> None:
    from onnx import numpy_helper

    for tensor in graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(values, name))
