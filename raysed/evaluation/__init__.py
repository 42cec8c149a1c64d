"""Events, metrics and statistics on per-clip counts."""
