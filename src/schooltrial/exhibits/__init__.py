"""Figures and tables; each is drawn from a frame that is saved with it."""
