"""The build of data sets: its plan, its stages, and the Ray job that runs them."""
