"""Compare the design of a protocol with the needs of its outcomes, tables and models."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import fsum
from pathlib import PurePath

from schooltrial.protocol.consistency.model_keys import model_key_faults
from schooltrial.protocol.content.column_map import KeyedFile, Tables
from schooltrial.protocol.content.completion import schools_read
from schooltrial.protocol.content.levels import ROSTER_OF
from schooltrial.protocol.content.made_variables import is_read
from schooltrial.protocol.content.rounded_shares import fractions_meant
from schooltrial.protocol.content.sections import Content, Design, Draw, Model, modelled_arms
from schooltrial.refusal import Fault
from schooltrial.wording import plural_of

SOURCES = {
    "pupil": ("pupils",),
    "teacher": ("teachers", "observations"),
    "school": ("school_scores",),
}
"""Whose outcome it is → the tables that such an outcome needs."""


ONE_EFFECT = (
    "randomisation_inference", "wild_bootstrap", "difference_in_differences", "staggered_adoption",
    "complier_effect",
)  # fmt: skip
"""Estimators of one effect: with more than two groups they must be told which to compare."""


OF_SCHOOLS = ("schools", "crosswalk", "implementation", "school_scores", "published_means")
"""Standard tables of a trial that has schools."""


PANELS = ("difference_in_differences", "staggered_adoption")
"""Estimators of a panel of school means."""


ANY, PANEL = ("pupil", "teacher", "school"), ("pupil", "school")


LEVELS = {
    "multilevel": ANY,
    "cluster_robust": ANY,
    "randomisation_inference": ANY,
    "wild_bootstrap": ANY,
    "complier_effect": ANY,
    "difference_in_differences": PANEL,
    "staggered_adoption": PANEL,
}
"""Estimator → levels of the outcomes that it fits; a panel is of school means, read or made."""


SHARES_SUM = 1e-6


Written = Mapping[str, Collection[str]]
"""Model → the keys of it that the file has."""

PLACEHOLDER = re.compile(r"(.{1,4})\1{15}")
"""One to four digits sixteen times in a row, which no checksum holds by chance."""


def design_faults(content: Content, shown: str, written: Written) -> Iterator[Fault]:
    """Yield what does not fit together between design, tables, outcomes and models."""
    yield from _arm_faults(content["design"], shown)
    yield from _draw_faults(content["design"], shown)
    yield from _level_faults(content, shown)
    yield from _school_faults(content, shown)
    yield from _wave_faults(content, shown)
    yield from _address_faults(content["tables"], shown)
    for name, model in content["models"].items():
        yield from _model_faults(f"models.{name}", model, content, shown, written.get(name, ()))


def _arm_faults(design: Design, shown: str) -> Iterator[Fault]:
    names = [arm["name"] for arm in design["arms"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(
            shown, f"the group {name!r} is listed twice", "unique group names",
            "rename one of them",
            column="design.arms",
        )  # fmt: skip
    out = [arm["name"] for arm in design["arms"] if not arm.get("in_models", True)]
    if names[0] in out or len(names) - len(out) < 2:
        yield Fault(
            shown, "`in_models: false` is set for " + ", ".join(out),
            "the control group and at least one other group in models",
            "remove `in_models: false` from one",
            column="design.arms",
        )  # fmt: skip
    yield from _share_faults([arm["share"] for arm in design["arms"]], shown)


def _share_faults(shares: Sequence[float | None], shown: str) -> Iterator[Fault]:
    """Yield shares that are not 1 in all, or leave nothing to the groups that have none."""
    given = [share for share in shares if share is not None]
    whole = len(given) == len(shares)
    total = fsum(given)
    rounded = whole and bool(fractions_meant(given, given))
    if (whole and abs(total - 1) > SHARES_SUM and not rounded) or (
        not whole and total > 1 - SHARES_SUM
    ):
        yield Fault(
            shown, "the shares of the groups are " + ", ".join(map(str, shares)),
            "shares that sum to 1; groups without a share divide the rest",
            "correct the shares",
            column="design.arms",
        )  # fmt: skip


def _draw_faults(design: Design, shown: str) -> Iterator[Fault]:
    yield from _criterion_faults(design["randomisation"], shown)
    if design["kind"] == "simple":
        yield from _simple_faults(design, shown)
    arms = len(design["arms"])
    for block, counts in design["randomisation"]["allocation"].items():
        if len(counts) != arms:
            yield Fault(
                shown, f"block {block!r} lists {len(counts)} numbers for {arms} groups",
                "one number of units per group, in the order of the groups",
                "list one number for each group",
                column=f"design.randomisation.allocation.{block}",
            )  # fmt: skip
    yield from _places_faults(design, shown)


def _places_faults(design: Design, shown: str) -> Iterator[Fault]:
    """Yield what leaves the places of the list without a meaning."""
    draw = design["randomisation"]
    if not draw["places"]:
        return
    place = "design.randomisation.places"
    if len(design["arms"]) > 2:
        yield Fault(
            shown, f"`places` gives the units of the second group only, and {len(design['arms'])} "
            "groups are declared", "two groups",
            "list the numbers of each block under `allocation`, in the order of the groups",
            column=place,
        )  # fmt: skip
    if draw["allocation"]:
        yield Fault(
            shown, "`places` and `allocation` both give the numbers by group", "one of the two",
            "delete `places` to use the numbers in the protocol, or delete `allocation` to use "
            "those in the allocation list", column=place,
        )  # fmt: skip
    named = [key for key in ("eligible_list", "record") if draw[key]]
    if named:
        yield Fault(
            shown, f"`places` is read from the allocation list, but `{named[0]}` needs the numbers "
            "before randomisation",
            "numbers by group that are known before randomisation", "list them under `allocation`",
            column=place,
        )  # fmt: skip


def _simple_faults(design: Design, shown: str) -> Iterator[Fault]:
    """Yield what fixes the numbers by group, or repeats draws, where each unit is drawn alone."""
    draw = design["randomisation"]
    for key, what, given in (
        ("allocation", "numbers of units", draw["allocation"]),
        ("places", "numbers of units", draw["places"]),
        ("balance_on", "a balance of the groups", draw["balance_on"]),
    ):
        if given:
            yield Fault(
                shown, f"design.kind is simple, but design.randomisation.{key} fixes {what}",
                "units that are randomised one by one (simple), or together",
                f"delete `{key}`, or set `kind: complete` (or `blocked`)",
                column=f"design.randomisation.{key}",
            )  # fmt: skip


def _criterion_faults(draw: Draw, shown: str) -> Iterator[Fault]:
    """Yield a criterion of balance that accepts every draw, and a share of draws without one."""
    if draw["balance_on"] and draw["acceptance_rate"] == 1:
        yield Fault(
            shown, "`balance_on` has no effect with `acceptance_rate: 1`",
            "`acceptance_rate` below 1",
            "add the rate that was used, such as `acceptance_rate: 0.1` for the best-balanced "
            "tenth, or delete `balance_on`", column="design.randomisation.balance_on",
        )  # fmt: skip
    if not draw["balance_on"] and draw["acceptance_rate"] < 1:
        yield Fault(
            shown,
            f"`acceptance_rate: {draw['acceptance_rate']}` has no effect without `balance_on`",
            "columns of the eligible list to balance on",
            "add `balance_on: [column]`, or delete `acceptance_rate`",
            column="design.randomisation.acceptance_rate",
        )  # fmt: skip


def _address_faults(tables: Tables, shown: str) -> Iterator[Fault]:
    """Yield readings with an address whose content nobody could tell from another."""
    for table, readings in tables.items():
        for at, reading in enumerate(readings):
            place = f"tables.{table}.{at}"
            yield from _source_faults(place, reading, shown)
            for number, joined in enumerate(reading["join"]):
                yield from _source_faults(f"{place}.join.{number}", joined, shown)


def _source_faults(place: str, file: KeyedFile, shown: str) -> Iterator[Fault]:
    yield from _placeholder_faults(place, file["sha256"], shown)
    if file["url"] and file["sha256"] is None:
        yield Fault(
            shown, f"{place} has a `url` but no `sha256`", "the checksum of the file",
            "add `sha256: …`, as printed by `sha256sum FILE`", column=f"{place}.url",
        )  # fmt: skip
    kept = PurePath(file["file"])
    if file["url"] and (kept.is_absolute() or ".." in kept.parts):
        yield Fault(
            shown, f"{place} downloads a file to {file['file']!r}",
            "a name inside the download folder",
            "write the name without `..` and without a leading slash",
            column=f"{place}.file",
        )  # fmt: skip
    if file["url"] and "{year}" in file["file"]:
        yield Fault(
            shown, f"{place} has one `url` for the files of several years", "one `url` per file",
            "list the file of each year separately, each with its `url`", column=f"{place}.url",
        )  # fmt: skip


def _placeholder_faults(place: str, sha256: str | None, shown: str) -> Iterator[Fault]:
    """Yield a checksum that was written to hold the place of one: its digits repeat."""
    if sha256 and PLACEHOLDER.search(sha256):
        yield Fault(
            shown, f"{place} has the sha256 {sha256[:12]}…, whose digits repeat",
            "the checksum of the file", "add `sha256: …`, as printed by `sha256sum FILE`",
            column=f"{place}.sha256",
        )  # fmt: skip


def _level_faults(content: Content, shown: str) -> Iterator[Fault]:
    """Yield outcomes whose tables are not read, and a unit of assignment that is in no table."""
    for name, outcome in content["outcomes"].items():
        for table in SOURCES[outcome["measured_on"]]:
            if not is_read(outcome) and table in ("scores", "observations"):
                continue
            if table not in content["tables"]:
                yield Fault(
                    shown, f"outcome {name!r} is measured on {outcome['measured_on']}s, but the "
                    f"table {table!r} is not read", "the table with this outcome",
                    f"add `tables.{table}`, or set `measured_on`", column=f"outcomes.{name}",
                )  # fmt: skip
    unit = content["design"]["unit"]
    table = ROSTER_OF[unit]
    if unit != "school" and table not in content["tables"]:
        yield Fault(
            shown, f"{plural_of(unit)} were randomised, but the table {table!r} is not read",
            f"a table of {table}", f"add `tables.{table}`", column="design.unit",
        )  # fmt: skip


def _school_faults(content: Content, shown: str) -> Iterator[Fault]:
    """Yield what asks for schools in a trial that has none, and a design that says otherwise."""
    design, read = content["design"], schools_read(content["tables"])
    if design["schools"] and not read:
        yield Fault(
            shown, "design.schools is true, but no table reads a column `school`",
            "a column `school` of pupils",
            "add `school: {column: …}` to the table, or delete `design.schools`",
            column="design.schools",
        )  # fmt: skip
    if design["schools"] is not False:
        return
    if read:
        yield Fault(
            shown, "design.schools is false, but a table reads a column `school`",
            "no column `school` in any table",
            "delete `design.schools`, or delete the columns `school`",
            column="design.schools",
        )  # fmt: skip
    if design["unit"] in ("school", "teacher"):
        return  # its own table lacks the school, and says so
    in_baseline = content["cleaning"]["analyse_in"] == "baseline_school"
    asked = [f"tables.{name}" for name in OF_SCHOOLS if name in content["tables"]]
    asked += ["balance.school_variables"] if content["balance"]["school_variables"] else []
    asked += ["cleaning.analyse_in"] * in_baseline
    for name, model in content["models"].items():
        if model["estimator"] in PANELS:
            asked.append(f"models.{name}.estimator")
    for place in asked:
        yield Fault(
            shown, f"{place} needs schools, but no table of pupils reads a column `school`",
            "a column `school` in the enrolment records",
            "add `school: {column: …}` to the columns of `tables.pupils`, or delete the key",
            column=place,
        )  # fmt: skip
    for name, model in content["models"].items():
        if model["estimator"] == "multilevel" and design["unit"] == "pupil":
            yield Fault(
                shown, f"models.{name} is multilevel, but pupils were randomised outside schools, "
                "so there is no higher level", "`estimator: cluster_robust`",
                "set `estimator: cluster_robust`: least squares with errors robust to unequal "
                "variances (HC2)",
                column=f"models.{name}.estimator",
            )  # fmt: skip


def _wave_faults(content: Content, shown: str) -> Iterator[Fault]:
    """Yield what needs a year before the programme, in a study that has none."""
    if content["years"]["baseline"]:
        return
    for name, model in content["models"].items():
        if model["estimator"] in PANELS:
            yield Fault(
                shown, f"models.{name} compares changes, but `years` has no baseline year",
                "a baseline year, or an estimator that needs none",
                "add the year under `years.baseline`, or set `estimator: cluster_robust`",
                column=f"models.{name}.estimator",
            )  # fmt: skip
    if content["cleaning"]["joiners"] == "drop" and not content["cleaning"]["assigned_on"]:
        yield Fault(
            shown, "`joiners: drop` would drop all pupils: `years` has no baseline year",
            "`cleaning.assigned_on`, or a baseline year",
            "add `assigned_on: YYYY-MM-DD` and read the column `entered` of pupils, or set "
            "`joiners: keep`",
            column="cleaning.joiners",
        )  # fmt: skip


def _model_faults(
    where: str, model: Model, content: Content, shown: str, written: Collection[str]
) -> Iterator[Fault]:
    known = [name for name in model["outcomes"] if name in content["outcomes"]]
    levels = sorted({content["outcomes"][name]["measured_on"] for name in known})
    if len(levels) > 1:
        yield Fault(
            shown, f"{where} mixes outcomes measured on " + ", ".join(levels),
            "outcomes measured on the same level", "declare one model for each level",
            column=f"{where}.outcomes",
        )  # fmt: skip
    yield from _compare_faults(where, model, content["design"], shown)
    yield from model_key_faults(where, model, content, shown, written)
    for name in model["subgroups"]:
        if name not in content["subgroups"]:
            yield Fault(
                shown, f"{where} names the subgroup {name!r}, which is not under `subgroups`",
                "one of " + (", ".join(content["subgroups"]) or "the subgroups"),
                "add it under `subgroups`, with `label` and `where`", column=f"{where}.subgroups",
            )  # fmt: skip
    if model["estimator"] == "complier_effect" and not content["take_up"]["variable"]:
        yield Fault(
            shown, f"{where} estimates the effect on compliers, but take-up is not declared",
            "`take_up.variable`", "declare it", column=where,
        )  # fmt: skip
    if model["estimator"] == "randomisation_inference" and not content["design"]["randomised"]:
        yield Fault(
            shown, f"{where} repeats the randomisation, but `design.randomised` is false",
            "an estimator that does not need randomisation",
            "set another `estimator`, such as `cluster_robust`, or correct `design.randomised`",
            column=f"{where}.estimator",
        )  # fmt: skip
    staggered = content["design"]["kind"] == "staggered"
    if model["estimator"] == "staggered_adoption" and not staggered:
        yield Fault(
            shown, f"{where} is for cohorts that begin in different years, but the design is "
            f"{content['design']['kind']!r}", "`design.kind: staggered`",
            "set `design.kind: staggered`, or set `estimator: difference_in_differences`",
            column=f"{where}.estimator",
        )  # fmt: skip
    for level in [level for level in levels if level not in LEVELS[model["estimator"]]]:
        fitting = [name for name, of in LEVELS.items() if level in of]
        yield Fault(
            shown, f"{where} fits outcomes of {level}s with {model['estimator']}",
            "one of " + ", ".join(fitting), "set one of these estimators",
            column=f"{where}.estimator",
        )  # fmt: skip


def _compare_faults(where: str, model: Model, design: Design, shown: str) -> Iterator[Fault]:
    arms = [arm["name"] for arm in modelled_arms(design)]
    compared = model["arms"]
    right = len(compared) == 2 and compared[0] == arms[0] and compared[1] in arms[1:]
    if compared and not right:
        yield Fault(
            shown, f"{where} compares " + " and ".join(compared),
            f"the control group {arms[0]!r} and one of " + ", ".join(arms[1:])
            + " (groups with `in_models: false` are in none)"
            * (len(arms) < len(design["arms"])),
            "list these two", column=f"{where}.arms",
        )  # fmt: skip
    if not compared and len(arms) > 2 and model["estimator"] in ONE_EFFECT:
        yield Fault(
            shown, f"{where} estimates one effect, but the design has {len(arms)} groups",
            "the control group and one other",
            f"add `arms: [{arms[0]}, {arms[1]}]`, or another pair with the control group",
            column=f"{where}.arms",
        )  # fmt: skip
