"""Tests that re-draw the assignment by the design that was used."""
