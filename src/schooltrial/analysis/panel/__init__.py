"""Cells of schools by year, their columns, and the rows that only panel models have."""
