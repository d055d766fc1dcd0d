"""Synthetic trials whose truth is known."""
