"""Regressions with cohorts: Sun-Abraham, imputation, stacked; what two-way effects average."""
