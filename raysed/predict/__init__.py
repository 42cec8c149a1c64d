"""Using a trained checkpoint: events of any recording, ONNX export, thresholds after training."""
