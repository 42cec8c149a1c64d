"""Synthetic soundscapes from a sound bank."""
