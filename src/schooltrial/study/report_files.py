"""Which files a study's report shows: those that the study has."""

from __future__ import annotations

from dataclasses import dataclass

from schooltrial.checks.goodman_bacon.panel_models import decomposed_models
from schooltrial.checks.parallel_trends.panel_models import checked_models
from schooltrial.exhibits.catalogue import figures_of, tables_of
from schooltrial.protocol.content.sections import Protocol
from schooltrial.study.layout import Layout

CHECKS = (
    "plan.json", "flow.csv", "flow_text.txt", "mobility.csv", "assignment.csv",
    "assignment_tests.csv", "assignment_verdict.json", "assignment_units.csv",
    "assignment_distances.csv",
    "balance_omnibus.csv", "balance.csv", "equivalence.csv", "pretrends.csv", "attrition.csv",
    "who_left.csv", "missing_outcomes.csv", "power.csv", "verdict.json", "cleaning_log.csv",
    "raw_files.csv",
)  # fmt: skip


QUALITY_FIGURES = ("missingness", "distributions", "school_outliers")
"""Figures of the page on data quality."""

BEFORE = (
    "obtain_tables", "clean_sample", "check_assignment", "check_balance", "check_attrition",
    "check_flow",
)  # fmt: skip
"""Steps between the raw files and the models."""


@dataclass(frozen=True)
class ReportFiles:
    """What one study's report is made from.

    Attributes
    ----------
    protocol : Protocol
    paths : Layout
    """

    protocol: Protocol
    paths: Layout

    def has(self, table: str) -> bool:
        """Return whether the study fills a standard table."""
        return table in self.protocol.content["tables"]

    def checks(self) -> list[str]:
        """Return the files of the checks that the report shows."""
        names = [*CHECKS]
        if self.has("implementation"):
            names += ["fidelity.csv", "contrast.csv"]
        if self.has("costs"):
            names.append("costs.csv")
        if self.decomposes():
            names.append("goodman_bacon.csv")
        if self.tries_trends():
            names += ["parallel_trends.csv", "parallel_trends_placebos.csv"]
        return [str(self.paths.check(name)) for name in names]

    def decomposes(self) -> bool:
        """Return whether a two-way effect of the study is decomposed."""
        content = self.protocol.content
        return bool(decomposed_models(content["models"], content["design"]["kind"]))

    def tries_trends(self) -> bool:
        """Return whether a primary model of the study assumes parallel trends."""
        return bool(checked_models(self.protocol.content["models"]))

    def contrast(self) -> dict[str, str]:
        """Return the check of what control units received, where a study has a log of it."""
        return (
            {"contrast": str(self.paths.check("contrast.csv"))}
            if self.has("implementation")
            else {}
        )

    def implementation(self) -> dict[str, str | list[str]]:
        """Return what the monitoring page shows of the implementation, where a study has it."""
        if not self.has("implementation"):
            return {}
        shown = self.implementation_figures()
        return {
            "fidelity": str(self.paths.check("fidelity.csv")),
            "contrasts": str(self.paths.check("contrast.csv")),
            "figures": [str(self.paths.figure(name)) for name in shown],
            "alt_texts": [str(self.paths.figure(name, "txt")) for name in shown],
        }

    def implementation_figures(self) -> list[str]:
        """Return the figures of the implementation that the study has."""
        drawn = figures_of(self.protocol.content)
        return [name for name in ("fidelity", "dosage") if name in drawn]

    def pretests(self) -> list[str]:
        """Return the sample of pupils, where an outcome has its pre-test in a column of its own."""
        outcomes = self.protocol.content["outcomes"].values()
        named = any(outcome["pretest"] for outcome in outcomes)
        return [str(self.paths.sample("pupil"))] if named else []

    def draws(self) -> list[str]:
        """Return what models of randomisation inference say of their draws."""
        names = self.protocol.models("randomisation_inference")
        return [str(self.paths.estimates_of(name, "draws.csv")) for name in names]

    def figures(self) -> list[str]:
        """Return the study's figures, as the report holds them."""
        return [str(self.paths.figure(name)) for name in figures_of(self.protocol.content)]

    def alt_texts(self) -> list[str]:
        """Return what the study's figures show, in words, in the order of `figures`."""
        return [str(self.paths.figure(name, "txt")) for name in figures_of(self.protocol.content)]

    def figure_data(self) -> list[str]:
        """Return what the study's figures draw."""
        return [str(self.paths.figure(name, "csv")) for name in figures_of(self.protocol.content)]

    def tables(self) -> list[str]:
        """Return the study's tables."""
        return [str(self.paths.table(name)) for name in tables_of(self.protocol.content)]

    def quality_steps(self) -> dict[str, list[str | None]]:
        """Return every step behind the page on data quality."""
        drawn = [f"draw_{name}" for name in QUALITY_FIGURES]
        return {name: [None] for name in [*BEFORE[:2], "describe_tables", *drawn]}

    def monitoring_steps(self) -> dict[str, list[str | None]]:
        """Return every step behind the monitoring page."""
        drawn = [f"draw_{name}" for name in self.implementation_figures()]
        checked = ["check_fidelity"] if self.has("implementation") else []
        return {name: [None] for name in [*BEFORE[:1], *checked, *drawn]}

    def steps(self) -> dict[str, list[str | None]]:
        """Return rule → the models that it fits (or None), for every step behind the report."""
        content = self.protocol.content
        fits: dict[str, list[str | None]] = {
            f"fit_{estimator}": list(self.protocol.models(estimator))
            for estimator in dict.fromkeys(m["estimator"] for m in content["models"].values())
        }
        names = ["check_power", "check_rating", *(f"draw_{name}" for name in figures_of(content))]
        if self.has("implementation"):
            names.insert(0, "check_fidelity")
        if self.has("costs"):
            names.insert(0, "check_costs")
        if self.decomposes():
            names.insert(0, "check_goodman_bacon")
        if self.tries_trends():
            names.insert(0, "check_parallel_trends")
        names += [f"tabulate_{name}" for name in tables_of(content)]
        return {
            **{name: [None] for name in BEFORE},
            **fits,
            **{name: [None] for name in ["gather_estimates", *names]},
        }
