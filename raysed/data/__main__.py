"""`python -m raysed.data JOB.yaml`: the same as `raysed data`."""

from raysed.cli.entry import main

if __name__ == "__main__":
    main("data")
