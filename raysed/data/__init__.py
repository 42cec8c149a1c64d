"""From recordings and sound banks to mel features in shards."""
