"""`python -m raysed.tune SPACE.yaml`: the same as `raysed tune`."""

from raysed.cli import run_command, tune_command

if __name__ == "__main__":
    run_command(tune_command)
