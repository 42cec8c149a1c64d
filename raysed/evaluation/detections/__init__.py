"""From frame scores to sound events."""
