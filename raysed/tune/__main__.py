"""`python -m raysed.tune SPACE.yaml`: the same as `raysed tune`."""

from raysed.cli.entry import main

if __name__ == "__main__":
    main("tune")
