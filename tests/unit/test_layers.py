"""Nothing imports what is above it, and no file outgrows its concept."""

import ast
from pathlib import Path

import pytest

from small_trial import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"
LIBRARY = SCRIPTS / "schooltrial"
MODULES = sorted(LIBRARY.rglob("*.py"))
RULE_SCRIPTS = sorted(SCRIPTS.glob("*.py"))
BELOW: dict[str, set[str]] = {
    "refusal": set(),
    "streams": set(),
    "json_schema": set(),
    "protocol": {"json_schema", "refusal"},
    "data": {"protocol", "refusal"},
    "models": {"standards"},
    "checks": {"data", "models", "protocol", "refusal"},
    "analysis": {"data", "models", "protocol", "refusal"},
    "simulate": {"data", "models", "protocol", "refusal"},
    "exhibits": {"analysis", "checks", "data", "models", "protocol", "refusal"},
    "report": {"exhibits", "analysis", "checks", "data", "models", "protocol", "refusal"},
}
MODEL_PACKAGES = {"numpy", "scipy", "numba"}
WIDER = {
    "difference_in_differences": {"pandas", "linearmodels"},
    "instrument": {"pandas", "linearmodels"},
    "moments_parquet": {"pyarrow"},
    "staggered_adoption": {"pandas", "diff_diff"},
}


def _imports(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _layer(path: Path) -> str:
    name = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
    return "protocol" if name.startswith("protocol") else name


def _layers_imported(path: Path) -> set[str]:
    ours = [name.split(".") for name in _imports(path) if name.startswith("schooltrial.")]
    there = {child.stem for child in LIBRARY.iterdir()}
    layers = {parts[1] for parts in ours if parts[1] in there}
    return {"protocol" if layer.startswith("protocol") else layer for layer in layers}


def _packages(path: Path) -> set[str]:
    import sys

    tops = {name.split(".")[0] for name in _imports(path)}
    return tops - set(sys.stdlib_module_names) - {"schooltrial"}


def _name(path: Path) -> str:
    return str(path.relative_to(SCRIPTS))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_imports_only_its_own_layer_and_those_below(path: Path) -> None:
    layer = _layer(path)
    if layer == "__init__":
        assert _layers_imported(path) == set()
        return
    assert _layers_imported(path) <= {layer, "streams"} | BELOW[layer]


@pytest.mark.parametrize("path", [path for path in MODULES if _layer(path) == "models"], ids=_name)
def test_a_model_rests_on_numbers_only(path: Path) -> None:
    assert _packages(path) <= MODEL_PACKAGES | WIDER.get(path.stem, set())


def test_the_library_knows_nothing_of_the_workflow() -> None:
    scripts = {path.stem for path in RULE_SCRIPTS}
    for path in MODULES:
        assert not _packages(path) & ({"snakemake"} | scripts), path


def test_no_file_outgrows_its_concept() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES + RULE_SCRIPTS}
    assert [_name(path) for path in MODULES if lines[path] > 400] == []
    assert [_name(path) for path in RULE_SCRIPTS if lines[path] > 90] == []


def test_rules_and_snakefile_stay_short() -> None:
    rules = (ROOT / "workflow" / "rules").glob("*.smk")
    counted = {path.name: len(path.read_text("utf-8").splitlines()) for path in rules}
    assert {name: lines for name, lines in counted.items() if lines > 150} == {}
    assert len((ROOT / "Snakefile").read_text("utf-8").splitlines()) <= 60


def test_every_script_of_a_rule_has_a_main_and_ends_with_the_adapter() -> None:
    named = {
        line.rsplit("/", 1)[1].rstrip('"')
        for rule in (ROOT / "workflow" / "rules").glob("*.smk")
        for line in rule.read_text("utf-8").splitlines()
        if line.strip().startswith('"../scripts/')
    }
    assert len(named) > 10
    for name in named:
        text = (SCRIPTS / name).read_text("utf-8")
        assert "\ndef main(" in text, name
        assert text.endswith("\n\nrun_as_rule(main, globals())\n"), name
