"""Any TorchScript file as an encoder: a waveform (B, T) in, rows (B, R, E) out, or several of them."""

from collections.abc import Sequence

import numpy as np
import torch

from raysed.config.encoder import Encoder
from raysed.data.encoders.given_rows import GivenRows
from raysed.data.encoders.onnx_file import side_by_side


class ScriptEncoder(GivenRows):
    """A network of which the configuration says how its rows lie in time."""

    def __init__(self, config: Encoder, layers: Sequence[int | str] | None, device: str) -> None:
        super().__init__(config)
        self._device, self._layers = device, tuple(layers or (0,))
        if not all(isinstance(layer, int) for layer in self._layers):
            raise ValueError(
                f"layers {list(self._layers)}: outputs of a TorchScript file are numbered from 0"
            )
        try:
            self._network = torch.jit.load(self.path, map_location=device).eval()
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"{config.path}: not a TorchScript file ({error})") from error
        self.width = self(np.zeros((1, self.window or self.span), np.float32)).shape[2]

    def __call__(self, waveform_BT: np.ndarray) -> np.ndarray:
        """Return the rows of waveforms."""
        with torch.inference_mode():
            try:
                found = self._network(torch.from_numpy(waveform_BT).to(self._device))
            except RuntimeError as error:
                raise ValueError(
                    f"the encoder cannot take waveforms {list(waveform_BT.shape)} ({error})"
                ) from error
        outputs = (found,) if isinstance(found, torch.Tensor) else tuple(found)
        if max(self._layers) >= len(outputs) or min(self._layers) < 0:  # type: ignore[type-var]
            raise ValueError(f"layers {list(self._layers)}: the file has {len(outputs)} outputs")
        chosen = [outputs[layer].float().cpu().numpy() for layer in self._layers]  # type: ignore[index]
        return side_by_side(chosen, self._layers)
