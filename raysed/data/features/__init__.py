"""Mel features: their definition, shards, and what training maps."""
