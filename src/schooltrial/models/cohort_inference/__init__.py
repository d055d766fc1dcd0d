"""Inference on averages over cohorts: variances, joint test, bands and permutation."""
