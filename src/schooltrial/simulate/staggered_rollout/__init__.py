"""A simulated staggered roll-out."""
