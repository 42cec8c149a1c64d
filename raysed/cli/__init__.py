"""The command line: one entry, one table of exit codes."""
