"""A study on disk: its protocol, its files, and what may be read of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schooltrial.checkout import from_here
from schooltrial.protocol.content.sections import Content, Model, Protocol, StudyLine, unlabelled
from schooltrial.protocol.plan import PlanToRecord, section_checksums
from schooltrial.protocol.rehearsal import Redraw
from schooltrial.study.blinding import Blinding
from schooltrial.study.draw_files import DrawFiles
from schooltrial.study.layout import Layout
from schooltrial.study.raw_files import RawFiles
from schooltrial.study.report_files import ReportFiles

RESULTS = Path("results")


@dataclass(frozen=True)
class Study:
    """One study, as rules, commands and notebooks see it.

    Attributes
    ----------
    protocol : Protocol
        The plan, validated and complete.
    paths : Layout
        Where its results lie.
    raw : RawFiles
    draw : DrawFiles
    blinding : Blinding
    report : ReportFiles
    """

    protocol: Protocol
    paths: Layout
    raw: RawFiles
    draw: DrawFiles
    blinding: Blinding
    report: ReportFiles

    @classmethod
    def of(cls, protocol: Protocol, results: Path = RESULTS) -> Study:
        """Return the study of a protocol, whose results lie in a folder of its name."""
        paths = Layout(results / protocol.name)
        raw = RawFiles(protocol, paths)
        return cls(
            protocol,
            paths,
            raw,
            DrawFiles(protocol, raw),
            Blinding(protocol, date.today()),
            ReportFiles(protocol, paths),
        )

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.protocol.name

    def protocol_file(self) -> str:
        """Return the file of the protocol, as seen from the working folder."""
        return from_here(self.protocol.path)

    def line(self) -> StudyLine:
        """Return the line under every exhibit: study, whether synthetic, protocol's hash."""
        study = self.protocol.content["study"]
        return {
            "title": study["title"],
            "synthetic": study["synthetic"],
            "protocol": self.protocol.sha256,
        }

    def redraw(self) -> Redraw | None:
        """Return how the groups of a rehearsal are re-randomised; None where the study is run."""
        content = self.protocol.content
        if not self.protocol.rehearsal:
            return None
        by_criterion = bool(content["design"]["randomisation"]["balance_on"])
        return {
            "seed": content["study"]["seed"],
            "within_blocks": content["design"]["kind"] not in ("complete", "simple"),
            "design": unlabelled(content)["design"] if by_criterion else None,
            "eligible_list": self.draw.file("eligible_list") if by_criterion else None,
            "absent": list(self.protocol.absent),
        }

    def read_by_redraw(self) -> list[str]:
        """Return the eligible list where the groups of a rehearsal are drawn from it."""
        redraw = self.redraw()
        listed = redraw["eligible_list"] if redraw else None
        return [listed] if listed and Path(listed).is_file() else []

    def sealed_plan(self) -> list[str]:
        """Return the record of the plan, written with the first estimate; none while it is blind.

        A blind study has no estimates, and none must be made to tell its plan.
        """
        return [] if self.blinding.until() else [self.plan_to_record().file]

    def plan_to_record(self) -> PlanToRecord:
        """Return the plan as this run read it, to be recorded by the first estimate.

        It is an object of ours, which Snakemake leaves out when it compares the params of a rule
        with those of the last run: a change of costs, say, fits no model again.
        """
        plan = self.protocol
        checksums = {} if plan.rehearsal else section_checksums(plan.content, plan.models_to_come)
        return PlanToRecord(str(self.paths.check("plan_first.json")), checksums)

    def truth(self) -> dict[str, str]:
        """Return the truth of a synthetic study, to be drawn with estimates."""
        return {"truth": str(self.paths.truth)} if self.raw.simulated else {}

    def computed_model(self, model: str) -> Model:
        """Return a model without the words that only exhibits need."""
        return unlabelled(self.protocol.content)["models"][model]

    def before_fitting(self) -> Content:
        """Return the protocol without words that only exhibits need, and its primary models alone.

        Their analyses are told and compared before any model is fitted: rules up to the checks take
        these sections, so that they do not run again with another model or another label.
        """
        content = unlabelled(self.protocol.content)
        primary = {k: model for k, model in content["models"].items() if model["role"] == "primary"}
        return {**content, "models": primary}

    def sample_of(self, model: str) -> str:
        """Return the analysed sample of a model's outcomes: of pupils, teachers or schools."""
        content = self.protocol.content
        outcome = content["models"][model]["outcomes"][0]
        return str(self.paths.fitted(content["outcomes"][outcome]["measured_on"]))
