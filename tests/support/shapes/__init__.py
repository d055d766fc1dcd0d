"""Shapes of study, each run by every rule to the end: report, notebooks, monitoring.

A module of this package holds a few shapes of one group in ``SHAPES``; `support.shapes.registry`
finds them. ``PYTHONPATH=src:workflow/scripts:tests python -m support.shapes NAME FOLDER`` runs one.
"""
