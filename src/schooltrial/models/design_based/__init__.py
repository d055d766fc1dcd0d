"""Estimators that rest on the design alone: Neyman, Lin, Horvitz-Thompson."""
