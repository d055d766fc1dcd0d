"""The restricted wild cluster bootstrap."""
