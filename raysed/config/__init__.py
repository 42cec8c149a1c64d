"""What a user can set: data jobs, trials, spaces."""
