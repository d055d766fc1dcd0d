"""The modules that a script rests on are the inputs of its rule."""

from pathlib import Path

import pytest

from schooltrial.pipeline import code_inputs
from schooltrial.pipeline.code_inputs import modules


def _names(script: str) -> set[str]:
    return {Path(path).stem for path in modules(script)}


def test_modules_are_found_through_those_that_are_imported() -> None:
    found = _names("clean_sample.py")
    assert {"rule_adapter", "build", "rosters", "ledger", "sections", "refusal"} <= found


def test_an_estimator_is_an_input_of_just_the_rules_that_use_it() -> None:
    assert "difference_in_differences" in _names("fit_difference_in_differences.py")
    for script in ("fit_cluster_robust.py", "clean_sample.py", "draw_effects.py"):
        assert "difference_in_differences" not in _names(script)


def test_every_name_is_a_file_and_the_list_is_sorted() -> None:
    found = modules("fit_multilevel.py")
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
