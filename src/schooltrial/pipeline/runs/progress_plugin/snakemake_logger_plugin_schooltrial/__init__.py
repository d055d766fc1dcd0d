"""Snakemake's logger plugin ``schooltrial``, which Snakemake finds by the name of this package."""

from schooltrial.pipeline.runs.event_handler import LogHandler

__all__ = ["LogHandler"]
