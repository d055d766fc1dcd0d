"""Comparison schools that resemble a cohort: weights, matches and the balance they reach."""
