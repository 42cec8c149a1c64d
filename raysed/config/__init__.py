"""The settings that a user writes: data jobs, trials and spaces."""
