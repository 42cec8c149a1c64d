"""Building data sets: what, in which stages, and on Ray."""
