"""Effect sizes, and what they stand for."""
