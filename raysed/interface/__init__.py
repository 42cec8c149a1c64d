"""The Python interface: what notebooks and other programs call, exported by `raysed` itself."""
