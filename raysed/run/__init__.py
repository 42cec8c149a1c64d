"""The run folder: its plan, its trials, its owner and its status."""
