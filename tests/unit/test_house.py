"""The laws of the house: where a thing is, what it may rest on, and what it is called."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import schooltrial
from schooltrial import EXPORTS
from schooltrial.exhibits.catalogue import FIGURES, TABLES
from schooltrial.provenance.code_inputs import modules
from support.parsed_modules import tree_of
from support.small_trial import ROOT, schema

SOURCE = ROOT / "src"
LIBRARY = SOURCE / "schooltrial"
SCRIPTS = ROOT / "workflow" / "scripts"
ORDER = [
    "(root)",
    "protocol.form",
    "protocol.content",
    "protocol.consistency",
    "protocol",
    "models.inference",
    "models.moments",
    "models.least_squares",
    "models.cluster_robust",
    "models.design_based",
    "models.reml",
    "models.multilevel",
    "models.assignment",
    "models.randomisation_inference",
    "models.wild_bootstrap",
    "models.complier_effect",
    "models.adjusted_changes",
    "models.group_time",
    "models.cohort_inference",
    "models.cohort_regressions",
    "models.parallel_trends",
    "models.comparison_schools",
    "models.panel",
    "models.missing_outcomes",
    "models.effect_size",
    "models.power",
    "data.spelling",
    "data.cells",
    "data.layout",
    "data.workbooks",
    "data.statistical",
    "data.files",
    "data.rows",
    "data.tables",
    "data.linking",
    "data.ledger",
    "data.variables",
    "data.panel",
    "data.sample",
    "randomisation",
    "checks.assignment",
    "checks.balance",
    "checks.attrition",
    "checks.flow",
    "checks.parallel_trends",
    "checks.power",
    "checks.rating",
    "checks.implementation",
    "checks.data_quality",
    "checks.goodman_bacon",
    "checks",
    "analysis",
    "analysis.panel",
    "analysis.formulas",
    "analysis.estimators",
    "analysis.parallel_trends",
    "simulate.base",
    "simulate.school_randomised",
    "simulate.teacher_led_learning",
    "simulate.within_school_lottery",
    "simulate.staggered_rollout",
    "simulate",
    "document",
    "document.formats",
    "exhibits.style",
    "exhibits.figures",
    "exhibits.tables",
    "exhibits",
    "report.tables",
    "report.findings",
    "report",
    "report.limitations",
    "report.methods",
    "report.sections",
    "report.pages",
    "provenance",
    "study",
    "study.opened",
    "proposal",
    "pipeline.internals",
    "pipeline",
    "pipeline.plans",
    "pipeline.forked_jobs",
    "pipeline.runs",
    "cli",
]
"""Packages from the bottom up: each may import those before it."""

NUMBERS = {"numpy", "scipy", "numba"}
WIDER = {
    "models/inference/result.py": {"pandas"},
    "models/complier_effect/two_stage_least_squares.py": {"pandas", "linearmodels"},
    "models/complier_effect/specification_tests.py": {"pandas", "linearmodels"},
    "models/moments/from_parquet.py": {"pyarrow"},
}
"""Models rest on numbers; these also rest on a package that computes or holds them."""

LATE = {"numba", "linearmodels", "linearmodels.iv", "linearmodels.panel",
        "linearmodels.panel.utility", "diff_diff", "pandas", "scipy.optimize", "pyarrow.parquet",
        "jsonschema", "snakemake.dag", "snakemake.script", "snakemake.persistence", "typst",
        "docx", "docx.enum.section", "docx.enum.style", "docx.oxml", "docx.oxml.ns",
        "docx.shared"}  # fmt: skip
"""What a function may import when it is called, since importing it is slow and few need it."""

RUN_BY_PYTHON = 'if __name__ == "__main__":\n    sys.exit(main())\n'
"""How a module ends that is a command: ``python -m schooltrial.protocol.migrate``."""


@cache
def _library() -> tuple[Path, ...]:
    found = tuple(sorted(LIBRARY.rglob("*.py")))
    assert len(found) > 200
    return found


def _name(path: Path) -> str:
    """Return the dotted name below the library."""
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _package(path: Path) -> str:
    return ".".join(path.relative_to(LIBRARY).parent.parts) or "(root)"


def _of_type_checkers(tree: ast.AST) -> set[ast.AST]:
    guards = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {inner for guard in guards for part in guard.body for inner in ast.walk(part)}


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Return the full names of the modules that a file imports, wherever it does."""
    return tuple(_found_imports(tree_of(path)))


def _found_imports(tree: ast.Module) -> Iterator[str]:
    hidden = _of_type_checkers(tree)
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = SOURCE.joinpath(*node.module.split("."), f"{alias.name}.py")
                yield f"{node.module}.{alias.name}" if inner.is_file() else node.module


@cache
def _own(path: Path) -> frozenset[Path]:
    """Return the modules of the library that a file imports."""
    found = set()
    for name in _imports(path):
        base = SOURCE.joinpath(*name.split("."))
        if base.with_suffix(".py").is_file():
            found.add(base.with_suffix(".py"))
    return frozenset(found)


def _rules() -> dict[str, str]:
    """Return rule → script, for every rule that has one."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for part in re.split(r"^rule ", file.read_text("utf-8"), flags=re.M)[1:]:
            script = re.search(r'"\.\./scripts/(\w+\.py)"', part)
            if script:
                found[part.split(":")[0]] = script.group(1)
    assert len(found) > 40
    return found


def test_every_package_has_a_place_in_the_order_and_says_what_it_is() -> None:
    packages = {_package(path) for path in _library() if path.name != "__init__.py"}
    assert packages <= set(ORDER)
    silent = [
        _package(p) for p in LIBRARY.rglob("__init__.py") if not ast.get_docstring(tree_of(p))
    ]
    assert silent == []


def test_a_package_imports_only_those_before_it() -> None:
    place = {name: at for at, name in enumerate(ORDER)}
    upward = [
        f"{_name(path)} imports {_name(other)}"
        for path in _library()
        for other in sorted(_own(path))
        if path.name != "__init__.py" and place[_package(other)] > place[_package(path)]
    ]
    assert upward == []


def test_models_and_data_do_not_see_each_other_and_simulations_see_neither() -> None:
    crossing = [
        f"{_name(path)} imports {_name(other)}"
        for path in _library()
        for other in sorted(_own(path))
        if (_name(path).split(".")[0], _name(other).split(".")[0])
        in {("models", "data"), ("data", "models"), ("simulate", "data"), ("simulate", "models")}
    ]
    assert crossing == []


def test_no_module_rests_on_itself_in_a_circle() -> None:
    graph = {path: _own(path) for path in _library()}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


def test_nothing_is_imported_inside_a_function_but_slow_packages_that_few_calls_need() -> None:
    found = []
    for path in [*_library(), *sorted(SCRIPTS.glob("*.py"))]:
        if _package(path) == "cli" if path.is_relative_to(LIBRARY) else False:
            continue  # a command imports what it needs when it is run
        for function in ast.walk(tree_of(path)):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                names = (
                    [alias.name for alias in node.names] if isinstance(node, ast.Import)
                    else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                )  # fmt: skip
                found += [f"{path.name}: {name}" for name in names
                          if name not in LATE and name != "scipy"]  # fmt: skip
    assert found == []


def test_within_the_library_names_come_from_the_module_that_defines_them() -> None:
    """Faces are for analysts: a name that came through one would hide what a rule rests on."""
    faces = {f"schooltrial.{_name(p)}".rstrip(".") for p in LIBRARY.rglob("__init__.py")}
    through = [
        f"{path.name}: from {node.module} import {alias.name}"
        for path in [*_library(), *sorted(SCRIPTS.glob("*.py"))]
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module in faces
        for alias in node.names
        if not SOURCE.joinpath(*node.module.split("."), f"{alias.name}.py").is_file()
        and alias.name != "__version__"
    ]
    assert through == []
    again = [
        f"{_name(path)} takes {alias.name} from {node.module}"
        for path in [*_library(), *sorted(SCRIPTS.glob("*.py"))]
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("schooltrial.")
        for alias in node.names
        if path.is_relative_to(LIBRARY) and not _defines(str(node.module), alias.name)
    ]
    assert again == []


def _defines(module: str, name: str) -> bool:
    base = SOURCE.joinpath(*module.split("."))
    file = base.with_suffix(".py")
    if not file.is_file():
        return (base / f"{name}.py").is_file()
    names: set[str] = set()
    for node in tree_of(file).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return name in names


def test_no_function_bears_the_name_of_its_module_and_no_module_looks_like_a_test() -> None:
    """After ``import a.b.c`` the attribute ``c`` of a package is the module."""
    same = [
        _name(path)
        for path in _library()
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == path.stem
    ]
    assert same == ["cli.main", "cli.run"]  # an entry point and a command, which none imports so
    tests = [path.name for path in [*_library(), *SCRIPTS.glob("*.py")]
             if path.stem.startswith("test_") or path.stem.endswith("_test")]  # fmt: skip
    assert tests == []


def test_a_model_rests_on_numbers_only() -> None:
    wider = []
    for path in _library():
        if _name(path).split(".")[0] != "models":
            continue
        tops = {name.split(".")[0] for name in _imports(path)}
        tops -= set(sys.stdlib_module_names) | {"schooltrial"} | NUMBERS
        allowed = WIDER.get(path.relative_to(LIBRARY).as_posix(), set())
        wider += [f"{_name(path)}: {name}" for name in sorted(tops - allowed)]
    assert wider == []


def test_the_library_knows_nothing_of_snakemake_and_of_the_scripts_but_in_pipeline() -> None:
    scripts = {path.stem for path in SCRIPTS.glob("*.py")}
    knowing = [
        f"{_name(path)}: {name}"
        for path in _library()
        for name in _imports(path)
        if name.split(".")[0] in {"snakemake"} | scripts
        and _package(path).split(".")[0] not in ("pipeline", "cli")
    ]
    assert knowing == []


def test_a_rule_and_its_script_have_one_name_and_each_script_its_rule() -> None:
    rules = _rules()
    assert {f"{rule}.py" for rule in rules} == set(rules.values())
    assert {path.name for path in SCRIPTS.glob("*.py")} == set(rules.values())


def test_a_script_imports_no_other_script_and_ends_with_the_adapter() -> None:
    scripts = {path.stem for path in SCRIPTS.glob("*.py")}
    for path in sorted(SCRIPTS.glob("*.py")):
        assert not scripts & {name.split(".")[0] for name in _imports(path)}, path.name
        text = path.read_text("utf-8")
        assert "\ndef main(" in text, path.name
        assert text.endswith("\n\nrun_as_rule(main, globals())\n"), path.name


def test_every_rules_script_is_called_by_a_test_that_is_not_of_the_whole_workflow() -> None:
    """Through the end-to-end runs alone a wrong result would only be told to have been written."""
    tests = ROOT / "tests"
    asked = {
        name
        for path in tests.rglob("*.py")
        if path.relative_to(tests).parts[0] not in ("e2e", "results")
        for name in re.findall(r"^ *(?:from|import) (\w+)", path.read_text("utf-8"), re.M)
    }
    assert {path.stem for path in SCRIPTS.glob("*.py")} - asked == set()


def test_unit_tests_lie_as_the_library_does() -> None:
    unit = ROOT / "tests" / "unit"
    lost = [
        path.relative_to(unit).as_posix()
        for path in sorted(unit.rglob("test_*.py"))
        if not (LIBRARY / path.relative_to(unit).parent / "__init__.py").is_file()
    ]
    assert lost == []
    top = {path.name for path in unit.glob("test_*.py")}
    of_modules = {f"test_{path.stem}.py" for path in LIBRARY.glob("*.py")}
    assert top - of_modules == {"test_house.py", "test_imports.py"}  # of the library as a whole


def test_an_estimator_has_one_name_in_protocol_rule_script_package_and_tests() -> None:
    names = schema()["properties"]["models"]["additionalProperties"]["properties"]["estimator"][
        "enum"
    ]
    assert len(names) >= 7
    assert {f"fit_{name}" for name in names} == {r for r in _rules() if r.startswith("fit_")}
    for name in names:
        assert (LIBRARY / "models" / name).is_dir() or (
            LIBRARY / "models" / "panel" / f"{name}.py"
        ).is_file(), name
        assert (LIBRARY / "analysis" / "estimators" / f"{name}.py").is_file(), name
        assert (ROOT / "tests" / "unit" / "models" / name).is_dir() or (
            ROOT / "tests" / "unit" / "models" / "panel" / f"test_{name}.py"
        ).is_file(), name


def test_a_check_has_one_name_in_rule_script_package_and_tests() -> None:
    checks = [rule.removeprefix("check_") for rule in _rules() if rule.startswith("check_")]
    assert len(checks) > 7
    for name in checks:
        packages = [
            package
            for package in (LIBRARY / "checks").iterdir()
            if package.name == name or (package / f"{name}.py").is_file()
        ]
        assert len(packages) == 1, name
        assert (ROOT / "tests" / "unit" / "checks" / packages[0].name).is_dir(), name


def test_an_exhibit_has_one_name_in_catalogue_rule_script_and_module() -> None:
    rules = set(_rules())
    drawn = {f"draw_{name}" for name in FIGURES} | {f"tabulate_{name}" for name in TABLES}
    drawn |= {rule for rule in rules if rule.startswith("draw_")} - {"draw_assignment"}
    assert drawn <= rules
    for rule in drawn:
        verb, name = rule.split("_", 1)
        folder = "figures" if verb == "draw" else "tables"
        assert (LIBRARY / "exhibits" / folder / f"{name}.py").is_file(), rule


def test_every_module_of_a_script_is_an_input_of_its_rule() -> None:
    for rule, script in _rules().items():
        found = modules(script)
        direct = {str(path) for path in _own(SCRIPTS / script)}
        assert direct <= {str(Path(path).resolve()) for path in found}, rule


def test_the_face_exports_the_same_names_to_python_and_to_type_checkers() -> None:
    tree = tree_of(LIBRARY / "__init__.py")
    typed = {
        str(alias.asname): str(node.module)
        for node in _of_type_checkers(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    }
    assert typed == {name: f"schooltrial.{module}" for name, module in EXPORTS.items()}
    for name in EXPORTS:
        assert getattr(schooltrial, name).__name__ == name
        assert name in dir(schooltrial)
    with pytest.raises(AttributeError, match="has no attribute 'fit_nothing'"):
        _ = schooltrial.fit_nothing
    modules_of_that_name = {name for name in EXPORTS if (LIBRARY / name).exists()}
    assert modules_of_that_name == set()


def test_the_face_loads_no_module_until_a_name_is_asked_for() -> None:
    code = (
        "import sys, schooltrial; "
        "print([m for m in sys.modules if m.startswith('schooltrial.')], 'numpy' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert found.stdout.strip() == "['schooltrial._lazy'] False"


def test_every_module_is_reached_by_a_rule_a_command_or_the_face() -> None:
    """What nothing reaches is not used by anybody, however well it is tested."""
    waiting = [
        *SCRIPTS.glob("*.py"),
        LIBRARY / "cli" / "main.py",
        *(LIBRARY.joinpath(*name.split(".")).with_suffix(".py") for name in EXPORTS.values()),
        LIBRARY / "__init__.py",
        *(path for path in _library() if path.read_text("utf-8").endswith(RUN_BY_PYTHON)),
    ]
    rules = (ROOT / "workflow" / "rules").glob("*.smk")
    text = "".join(path.read_text("utf-8") for path in [ROOT / "Snakefile", *rules])
    waiting += (LIBRARY / "pipeline" / "runs" / "progress_plugin").glob(
        "*/*.py"
    )  # found by its name
    waiting += [path for path in _library() if f"schooltrial.{_name(path)} import" in text]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _own(path)
    unreached = [_name(p) for p in _library() if p not in seen and p.name != "__init__.py"]
    assert unreached == []


def test_the_snakefile_is_a_table_of_contents() -> None:
    text = (ROOT / "Snakefile").read_text("utf-8")
    included = re.findall(r'^include: "workflow/rules/(\w+)\.smk"', text, flags=re.M)
    assert set(included) == {path.stem for path in (ROOT / "workflow" / "rules").glob("*.smk")}
    assert re.findall(r"^rule (\w+)", text, flags=re.M) == ["all"]


def test_the_order_of_packages_is_that_of_the_page_for_contributors() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = page[page.index("The packages of the library") :]
    tops = list(dict.fromkeys(name.split(".")[0] for name in ORDER[1:]))
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.M)[: len(tops)] == tops
