"""Claims about rules as their files state them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from schooltrial.data.tables.keys import KEYS
from schooltrial.exhibits.catalogue import FIGURES, TABLES
from schooltrial.provenance.rule_files import read_rules
from schooltrial.study.layout import SAMPLES, Layout
from schooltrial.study.report_files import CHECKS
from support.small_trial import ROOT

RULES = {rule.name: rule for rule in read_rules(ROOT)}


def test_every_rule_is_found_on_the_line_on_which_it_begins() -> None:
    for rule in RULES.values():
        lines = (ROOT / rule.file).read_text("utf-8").splitlines()
        assert lines[rule.line - 1] == f"rule {rule.name}:"
    texts = [path.read_text("utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    stated = {name for text in texts for name in re.findall(r"^rule (\w+):", text, re.M)}
    assert set(RULES) == stated


def test_a_rule_writes_all_that_it_states_in_whatever_words() -> None:
    assert {f"results/{{study}}/data/{name}.parquet" for name in KEYS} <= set(
        RULES["obtain_tables"].outputs
    )
    assert RULES["draw_flow"].outputs == tuple(
        f"results/{{study}}/figures/flow.{end}" for end in ("svg", "pdf", "png", "csv")
    )
    assert RULES["simulate_trial"].wildcards("results/x/data/raw/a/b.csv") == {"study": "x"}
    assert RULES["simulate_trial"].wildcards("results/x/data/rawer") is None
    assert RULES["draw_flow"].wildcards("results/x/y/figures/flow.svg") is None


def test_every_rule_with_a_script_writes_something() -> None:
    assert [name for name, rule in RULES.items() if rule.script and not rule.outputs] == []


def test_what_a_rule_asks_of_the_study_stands_as_it_is_written() -> None:
    assert "study.raw.files()" in RULES["obtain_tables"].inputs
    assert "study.sample_of(model)" in RULES["fit_multilevel"].inputs


def _laid_out() -> list[Path]:
    """Return every path that a layout gives, those with a name for each name there is."""
    layout = Layout(Path("results/x"))
    plain = [name for name, kind in inspect.getmembers(Layout) if isinstance(kind, property)]
    named = {
        "data": [*KEYS, "changes", "bounded_cells"],
        "sample": list(SAMPLES),
        "fitted": list(SAMPLES),
        "check": list(CHECKS),
        "estimates_of": ["m"],
        "figure": list(FIGURES),
        "table": list(TABLES),
    }
    functions = {n for n, f in inspect.getmembers(Layout, inspect.isfunction) if n[0] != "_"}
    assert functions == set(named)
    found = [getattr(layout, name) for name in plain]
    return [*found, *(getattr(layout, name)(one) for name in named for one in named[name])]


def test_every_path_of_the_layout_is_written_by_a_rule() -> None:
    paths = [path.as_posix() for path in _laid_out()]
    assert len(paths) > 50
    rules = RULES.values()
    orphans = [path for path in paths if all(rule.wildcards(path) is None for rule in rules)]
    assert orphans == []
