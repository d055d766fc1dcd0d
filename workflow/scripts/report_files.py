"""Which files a study's report shows: those that the study has."""

from __future__ import annotations

import os
from typing import Any

from draw_locations import DrawLocations
from module_inputs import modules
from schooltrial.exhibits.exhibit_list import figures_of, tables_of

CHECKS = (
    "plan.json", "flow.csv", "flow_text.txt", "mobility.csv", "assignment.csv",
    "assignment_tests.csv", "assignment_verdict.json", "assignment_units.csv",
    "balance_omnibus.csv", "balance.csv", "pretrends.csv", "attrition.csv", "who_left.csv",
    "missing_outcomes.csv", "power.csv", "verdict.json", "cleaning_log.csv", "raw_files.csv",
)  # fmt: skip


BEFORE = (
    "obtain_tables", "clean_sample", "check_assignment", "check_balance", "check_attrition",
    "check_flow",
)  # fmt: skip
"""Steps between the raw files and the models."""


class ReportFiles(DrawLocations):
    """Looks up the exhibits and checks of the study that the wildcards name."""

    def protocol_file(self, wildcards: Any) -> str:
        """Return the file of the study's protocol."""
        return os.path.relpath(self.protocols[wildcards.study].path)

    def report_checks(self, wildcards: Any) -> list[str]:
        """Return the files of the checks that the report shows."""
        names = [*CHECKS]
        if "implementation" in self.content(wildcards)["tables"]:
            names += ["fidelity.csv", "contrast.csv"]
        if "costs" in self.content(wildcards)["tables"]:
            names.append("costs.csv")
        return [f"results/{wildcards.study}/checks/{name}" for name in names]

    def contrast_file(self, wildcards: Any) -> dict[str, str]:
        """Return the check of what control units received, where a study has a log of it."""
        if "implementation" not in self.content(wildcards)["tables"]:
            return {}
        return {"contrast": f"results/{wildcards.study}/checks/contrast.csv"}

    def report_figures(self, wildcards: Any) -> list[str]:
        """Return the study's figures, as the report holds them."""
        return self._figures(wildcards, "svg")

    def figure_data(self, wildcards: Any) -> list[str]:
        """Return what the study's figures draw."""
        return self._figures(wildcards, "csv")

    def _figures(self, wildcards: Any, kind: str) -> list[str]:
        names = figures_of(self.content(wildcards))
        return [f"results/{wildcards.study}/figures/{name}.{kind}" for name in names]

    def traced(self, wildcards: Any) -> dict[str, list[str | None]]:
        """Return rule → the models that it fits (or None), for every step behind the report."""
        content, protocol = self.content(wildcards), self.protocols[wildcards.study]
        fits: dict[str, list[str | None]] = {
            f"fit_{estimator}": list(protocol.models(estimator))
            for estimator in dict.fromkeys(m["estimator"] for m in content["models"].values())
        }
        names = ["check_power", "check_verdict", *(f"draw_{name}" for name in figures_of(content))]
        if "implementation" in content["tables"]:
            names.insert(0, "check_fidelity")
        if "costs" in content["tables"]:
            names.insert(0, "check_costs")
        names += [f"tabulate_{name}" for name in tables_of(content)]
        return {
            **{name: [None] for name in BEFORE},
            **fits,
            **{name: [None] for name in ["gather_estimates", *names]},
        }

    def code(self, wildcards: Any) -> list[str]:
        """Return the modules of every step behind the report."""
        return sorted({path for name in self.traced(wildcards) for path in modules(f"{name}.py")})

    def report_tables(self, wildcards: Any) -> list[str]:
        """Return the study's tables."""
        names = tables_of(self.content(wildcards))
        return [f"results/{wildcards.study}/tables/{name}.html" for name in names]
