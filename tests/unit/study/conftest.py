"""The small trial with models of six estimators, and its results where a run would have them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from gather_estimates import main as gather_estimates
from schooltrial.protocol.plan import PlanToRecord, section_checksums
from schooltrial.study.layout import Layout
from schooltrial.study.opened.opened_study import OpenedStudy
from schooltrial.study.opened.opening import open_study
from support.small_trial import SmallTrial

DATA = {"sample": "sample", "school_panel": "panel", "bounded_cells": "bounded",
        "schools": "schools", "assignment": "assignment",
        "school_sample": "school_sample"}  # fmt: skip
COMMON = {"label": "", "role": "sensitivity", "outcomes": ["maths"], "where": {"year": [2020]}}


@pytest.fixture(scope="session")
def trial_on_disk(tmp_path_factory: pytest.TempPathFactory) -> SmallTrial:
    """Return the trial after its run; read only. Its results are in ``elsewhere``."""
    trial = SmallTrial(tmp_path_factory.mktemp("study"))
    took_up = {"from": "days_present", "at_least": 165, "label": "Took up"}
    trial.protocol["variables"]["took_up"] = took_up
    trial.protocol["take_up"] = {"variable": "took_up"}
    trial.protocol["models"] |= {
        "multilevel": {**COMMON, "estimator": "multilevel", "blocks": "none"},
        "compliers": {**COMMON, "estimator": "complier_effect"},
        "redrawn": {**COMMON, "estimator": "randomisation_inference"},
        "bootstrap": {**COMMON, "estimator": "wild_bootstrap", "replications": 100},
    }
    trial.obtain()
    trial.clean()
    content = trial.read().content
    paths = Layout(trial.folder / "elsewhere")
    for folder in ("data", "checks", "estimates/models"):
        (paths.root / folder).mkdir(parents=True)
    for name, file in DATA.items():
        copy(trial.path(f"{file}.parquet"), paths.data(name))
    for name in ("flow", "mobility", "raw_files"):
        copy(trial.path(f"{name}.csv"), paths.check(f"{name}.csv"))
    further: dict[str, dict[str, Any]] = {
        "complier_effect": {"taken_up": "took_up"},
        "wild_bootstrap": {"seed": 7},
        "randomisation_inference": {
            "seed": 7, "design": content["design"], "assignment": str(paths.data("assignment")),
            "draws": str(paths.root / "estimates" / "models" / "itt_redrawn.draws.csv"),
        },
        "difference_in_differences": {
            "years": content["years"], "design": content["design"],
            **{name: str(paths.data(file)) for name, file in (
                ("panel", "school_panel"), ("bounded", "bounded_cells"), ("schools", "schools"),
                ("school_sample", "school_sample"),
            )},
        },
    }  # fmt: skip
    to_record = PlanToRecord(str(paths.check("plan_first.json")), section_checksums(content))
    for name, model in content["models"].items():
        script = import_module(f"fit_{model['estimator']}")
        script.main(
            sample=str(paths.data("sample")), study="small", name=name, model=model,
            outcomes=content["outcomes"], to_record=to_record,
            estimates=str(paths.estimates_of(name)),
            diagnostics=str(paths.estimates_of(name, "json")),
            **further.get(model["estimator"], {}),
        )  # fmt: skip
    names = list(content["models"])
    gather_estimates(
        tables=[str(paths.estimates_of(name)) for name in names],
        diagnoses=[str(paths.estimates_of(name, "json")) for name in names],
        names=names, estimates=str(paths.estimates), diagnostics=str(paths.diagnostics),
        plan_first=to_record.file, to_record=to_record,
    )  # fmt: skip
    return trial


@pytest.fixture(scope="session")
def opened(trial_on_disk: SmallTrial) -> OpenedStudy:
    """Return the trial as an analyst opens it."""
    folder = trial_on_disk.folder
    return open_study(folder / "elsewhere", protocol=folder / "trial.yaml")


@pytest.fixture
def table_with(trial_on_disk: SmallTrial, tmp_path: Path) -> Callable[..., OpenedStudy]:
    """Return a function that opens the trial with a text of its table of estimates replaced."""

    def make(old: str, new: str) -> OpenedStudy:
        folder = trial_on_disk.folder
        paths = Layout(tmp_path)
        for path in (folder / "elsewhere").rglob("*.*"):
            target = tmp_path / path.relative_to(folder / "elsewhere")
            target.parent.mkdir(parents=True, exist_ok=True)
            copy(path, target)
        text = paths.estimates.read_text("utf-8")
        assert old in text
        paths.estimates.write_text(text.replace(old, new, 1), encoding="utf-8")
        return open_study(tmp_path, protocol=folder / "trial.yaml")

    return make
