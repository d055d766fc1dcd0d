"""Write the page on data quality, which needs no other file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from schooltrial.checks.written_tables import read_check
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.levels import DesignLevels
from schooltrial.protocol.sections import Design, StudyLine
from schooltrial.report.exhibits import read_exhibits
from schooltrial.report.page import fill
from schooltrial.report.quality import findings
from schooltrial.report.tables.data import (
    aggregates_shown,
    cleaning_shown,
    codebook_shown,
    linking_shown,
    means_shown,
)


def main(
    *,
    template: str,
    style: str,
    captions: str,
    codebook: str,
    means: str,
    missing: str,
    heaping: str,
    outliers: str,
    aggregates: str,
    linking: str,
    cleaning_log: str,
    figures: Sequence[str],
    labels: Mapping[str, str],
    design: Design,
    study: StudyLine,
    page: str,
) -> None:
    """Gather the checks of the tables and the figures, and fill the template."""
    tables = {
        name: read_check(path, keep_default_na=name not in ("codebook", "cleaning"))
        for name, path in (("codebook", codebook), ("means", means), ("missing", missing),
                           ("heaping", heaping), ("aggregates", aggregates), ("linking", linking),
                           ("cleaning", cleaning_log))
    }  # fmt: skip
    schools = read_check(outliers)
    found = tables["aggregates"]
    arms = [arm for arm in tables["means"]["arm"].unique() if isinstance(arm, str)]
    context = {
        "study": study,
        "style": Path(style).read_text("utf-8"),
        "findings": findings(tables["missing"], tables["heaping"], schools, found, labels),
        "aggregates": aggregates_shown(found),
        "linking": linking_shown(tables["linking"]),
        "cleaning": cleaning_shown(tables["cleaning"]),
        "codebook": codebook_shown(tables["codebook"]),
        "means": means_shown(tables["means"], arms),
        "arms": arms,
        "in_schools": DesignLevels.of(design).in_schools,
        "any_means": len(schools) > 0,
    }
    exhibits = read_exhibits(captions, figures, [])
    text = fill(Path(template).read_text("utf-8"), context, exhibits)
    Path(page).write_text(text, encoding="utf-8")


run_as_rule(main, globals())
