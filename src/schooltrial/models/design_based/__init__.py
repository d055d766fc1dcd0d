"""Estimators that use the design alone: Neyman, Lin, Horvitz-Thompson."""
