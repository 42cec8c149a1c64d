"""The main job on built-in sounds."""
