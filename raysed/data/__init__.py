"""The way from recordings and sound banks to mel features in shards."""
