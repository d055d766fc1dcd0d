"""Least squares with standard errors that are robust to clusters and to unequal variances."""
