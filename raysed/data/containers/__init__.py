"""Audio files as containers: what they say of their own length, and whether that much is there."""
