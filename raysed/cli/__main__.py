"""`python -m raysed.cli`: the same as `raysed`."""

from raysed.cli.entry import main

if __name__ == "__main__":
    main()
