"""The HTML page and the paper's figures of a run."""
