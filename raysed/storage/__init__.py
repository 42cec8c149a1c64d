"""Files on any file system: read whole, written whole or not at all."""
