"""The parts of the network that are made for a GPU."""
