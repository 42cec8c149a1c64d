"""What of a data tree is there, and what would spoil a result."""
