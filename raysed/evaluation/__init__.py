"""Exact metrics from per-clip counts, and how sure one can be of them."""
