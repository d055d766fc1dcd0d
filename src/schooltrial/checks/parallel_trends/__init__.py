"""Checks of the assumption of panel models: parallel trends without the programme."""
