"""Recorded clips and their annotations."""
