"""Compare params of rules with those of the last run, without importing pandas to do so.

Where pandas is installed, Snakemake imports it before it looks at the first parameter, to know a
data frame when it sees one: a sixth of the time of a run with nothing to do. Params of this
project come from protocols, and are numbers, texts, lists and mappings; for these Snakemake
compares the same text either way.
"""

from __future__ import annotations

from schooltrial.pipeline.internals.snakemake_internals import plain


def compare_params_as_text() -> None:
    """Let Snakemake compare params by its own way for an environment without pandas."""
    if plain():
        return
    from snakemake.persistence import PersistenceBase

    PersistenceBase._serialize_param = property(lambda self: self._serialize_param_builtin)
