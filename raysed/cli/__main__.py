"""The entry `python -m raysed.cli`, which is the same as `raysed`."""

from raysed.cli.entry import main

if __name__ == "__main__":
    main()
