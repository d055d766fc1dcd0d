"""Variables made of those that were read."""
