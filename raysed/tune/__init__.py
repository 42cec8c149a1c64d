"""Running a space on Ray Tune."""
