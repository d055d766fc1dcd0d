"""Estimators, checks and exhibits for school-level trials."""

__version__ = "0.1.0"
