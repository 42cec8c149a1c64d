"""Pretrained encoders: how each is opened, and how their rows lie in time."""
