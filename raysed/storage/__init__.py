"""Files on any file system: read whole, and written whole or not at all where the file system can."""
