"""Checks of the assumption that panel models rest on: trends that would have been parallel."""
