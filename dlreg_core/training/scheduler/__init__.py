"""Which network is trained next, and for how long."""
