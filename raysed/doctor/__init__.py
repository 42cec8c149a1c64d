"""The examination of a data tree: what is there, and what would spoil a result."""
