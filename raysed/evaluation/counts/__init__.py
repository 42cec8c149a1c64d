"""From events to integer counts of each clip."""
