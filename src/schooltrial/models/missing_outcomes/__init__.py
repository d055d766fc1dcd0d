"""Bounds, weights and bias where outcomes are missing."""
