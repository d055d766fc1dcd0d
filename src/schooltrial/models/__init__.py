"""Estimators for school trials; the core needs only numpy, scipy and numba."""
