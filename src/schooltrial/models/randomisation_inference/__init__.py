"""Tests that repeat the randomisation by the design that was used."""
