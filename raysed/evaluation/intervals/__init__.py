"""From counts to intervals and tests."""
