"""Pupils reduced to sums by school, in one pass."""
