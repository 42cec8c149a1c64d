"""raysed: sound event detection on heterogeneous data, from audio to settled ablations."""

__version__ = "0.1.0"
