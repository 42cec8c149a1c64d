"""The HTML page of a run, and its figures for papers."""
