"""The integer counts that events give in each clip."""
