"""The way from counts to intervals and tests."""
