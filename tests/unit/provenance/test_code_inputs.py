"""The modules that a script rests on are the inputs of its rule."""

import ast
from pathlib import Path

import pytest

from schooltrial.provenance import code_inputs
from schooltrial.provenance.code_inputs import imported_names, modules


def _names(script: str) -> set[str]:
    return {Path(path).stem for path in modules(script)}


def test_modules_are_found_through_those_that_are_imported() -> None:
    found = _names("clean_sample.py")
    assert {"rule_adapter", "build", "rosters", "ledger", "sections", "refusal"} <= found


def test_an_estimator_is_an_input_of_just_the_rules_that_use_it() -> None:
    assert "difference_in_differences" in _names("fit_difference_in_differences.py")
    for script in ("fit_cluster_robust.py", "clean_sample.py", "draw_effects.py"):
        assert "difference_in_differences" not in _names(script)


def test_a_fit_rests_on_no_module_that_reads_cleans_or_links() -> None:
    panels = {"fit_difference_in_differences.py", "fit_staggered_adoption.py"}
    scripts = {path.name for path in code_inputs.SCRIPTS.glob("fit_*.py")}
    assert panels < scripts
    for script in scripts:
        below = [Path(path).parts for path in modules(script)]
        of_data = {"/".join(parts[-2:]) for parts in below if parts[-3:-2] == ("data",)}
        cells = {"panel/school_panel.py", "panel/bounded_cells.py"} if script in panels else set()
        of_schools = {"panel/school_sample.py"} if script in panels else set()  # their covariates
        assert of_data - cells - of_schools <= {
            "rows/filters.py",
            "rows/coding.py",
            "rows/analysed.py",
            "rows/covariates.py",
            "rows/school_rows.py",
            "cells/suppression.py",
        }, script
        assert cells | {"rows/filters.py"} <= of_data, script


def test_every_name_is_a_file_and_the_list_is_sorted() -> None:
    found = modules("fit_multilevel.py")
    assert found
    assert found == sorted(found)
    assert all(Path(path).is_file() for path in found)


def test_imports_inside_functions_and_of_packages_count_and_circles_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package").mkdir()
    sources = {
        "script.py": "import numpy\ndef f():\n    from package import one\n",
        "package/__init__.py": "",
        "package/one.py": "import package.two\n",
        "package/two.py": "from package.one import x\n",
        "other.py": "",
    }
    for name, text in sources.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(code_inputs, "SCRIPTS", tmp_path)
    assert _names("script.py") == {"__init__", "one", "two"}


def _parsed_imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _without_types(text: str) -> ast.Module:
    """Return a module without what it imports for type checkers only."""
    tree = ast.parse(text)
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return tree


def test_lines_that_import_are_those_that_the_parser_finds_in_every_module_of_the_project() -> None:
    texts = [
        path.read_text("utf-8")
        for path in [
            *sorted(code_inputs.SOURCE.rglob("*.py")),
            *sorted(code_inputs.SCRIPTS.rglob("*.py")),
        ]
    ]
    assert len(texts) > 250
    assert [set(imported_names(text)) for text in texts] == [
        _parsed_imports(_without_types(text)) for text in texts
    ]


def test_imports_over_several_lines_with_comments_and_other_names_are_read() -> None:
    text = (
        "from a.b import (\n    one,  # first, of two\n    two as second,\n)\n"
        "import c.d as e, f\nif True:\n\tfrom g import *  # noqa\nnot_import = 'import h'\n"
    )
    found = imported_names(text)
    assert set(found) == _parsed_imports(ast.parse(text))
    assert {"a.b.one", "a.b.two", "c.d", "f", "g"} <= set(found)
