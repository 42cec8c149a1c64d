"""One trial: batches, mean teacher, checkpoints, scores. No Ray."""
