"""The way from frame scores to sound events."""
