"""The run folder: its plan, its trials, whose it is and how it stands."""
