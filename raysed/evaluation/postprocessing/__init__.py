"""Post-processing chosen after training: by which steps scores become events, and what that is worth."""
