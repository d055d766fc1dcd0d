"""The tables of COVERAGE.md on panels."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from benchmarks.coverage_report import _line, _share
from benchmarks.panel_table import HIGH, LOW, SINGLE_PANELS, leaves_band, outside
from benchmarks.panel_trials import DESIGNS

SIZES, RANGES, OUTSIDE, RULES = "panel sizes", "panel ranges", "panel outside", "panel rules"
EFFECTS, SETTINGS, TWO_WAY, POWER = (
    "panel effects", "panel settings", "panel two-way", "panel power",
)  # fmt: skip
COLUMNS = ("overall", "cohorts", "event times", "calendar years", "group-time effects",
           "slope before", "joint pre-trend", "band")  # fmt: skip
CHECK = "permutation check"
MAIN = tuple(design.name for design in DESIGNS)
SPREADS = ("equal", "double", "half", "small schools")


def sizes_table(table: pd.DataFrame) -> str:
    """Return the sizes of each design by the variance of treated schools."""
    base = _noise(table)
    base = base[(base["errors"] == "normal") & (base["correlation"] == 0.5)]
    columns = (*COLUMNS, CHECK)
    lines = [_line(["never + cohorts", "treated variance", *columns]), _rule(2 + len(columns))]
    for design in _in_order(base["design"]):
        for spread in SPREADS:
            of = base[(base["design"] == design) & (base["spread"] == spread)]
            cells = [_told(of, kind) for kind in columns]
            lines.append(_line([design, spread, *cells]))
    return "\n".join(lines)


def ranges_table(table: pd.DataFrame) -> str:
    """Return the least and largest size of any single row over all scenarios without effects."""
    base = _noise(table)
    lines = [_line(["never + cohorts", "scenarios", *COLUMNS]), _rule(2 + len(COLUMNS))]
    for design in _in_order(base["design"]):
        of = base[base["design"] == design]
        count = len(of[of["kind"] == "overall"])
        cells = []
        for kind in COLUMNS:
            rows = of[(of["kind"] == kind) & (of["answered"] > 0)]
            cells.append(
                "none" if rows.empty
                else f"{_share(rows['lowest'].min())}–{_share(rows['highest'].max())}"
            )  # fmt: skip
        lines.append(_line([design, str(count), *cells]))
    return "\n".join(lines)


def outside_table(table: pd.DataFrame) -> str:
    """Return the lines outside .03 to .07, by design and kind, with the farthest of them."""
    found = outside(table)
    lines = [
        _line(["never + cohorts", "rows", "scenarios", "least", "largest", "the farthest"]),
        _rule(6),
    ]
    for (design, kind), rows in found.groupby(["design", "kind"], sort=False):
        ends = [_ends(row) for _, row in rows.iterrows()]
        low, high = min(one[0] for one in ends), max(one[1] for one in ends)
        far = max(range(len(ends)), key=lambda k: max(LOW - ends[k][0], ends[k][1] - HIGH))
        lines.append(
            _line([str(design), str(kind), str(len(rows)), _share(low), _share(high),
                   _where(rows.iloc[far])])
        )  # fmt: skip
    return "\n".join(lines) if len(found) else "None."


def _ends(row: pd.Series) -> tuple[float, float]:
    if row["panels"] >= SINGLE_PANELS:
        return float(row["lowest"]), float(row["highest"])
    return float(row["rejected"]), float(row["rejected"])


def rules_table(table: pd.DataFrame) -> str:
    """Return own variances beside two regimes: equal / double / small treated schools."""
    base = table[
        (table["effects"] == "none") & (table["setting"] == "") & (table["errors"] == "normal")
        & (table["correlation"] == 0.5) & (table["controls"] == "never_treated")
        & (table["method"] == "") & table["design"].isin(MAIN)
    ]  # fmt: skip
    kinds = ("overall", "cohorts", "joint pre-trend", "band")
    heads = [f"{kind}: {rule}" for kind in kinds for rule in ("own", "two regimes")]
    lines = [_line(["never + cohorts", *heads]), _rule(1 + len(heads))]
    for design in _in_order(base["design"]):
        cells = []
        for kind in kinds:
            for rule in ("own", "two regimes"):
                of = base[(base["design"] == design) & (base["rule"] == rule)]
                cells.append(
                    " / ".join(
                        _told(of[of["spread"] == one], kind, bold=False)
                        for one in ("equal", "double", "small schools")
                    )
                )
        lines.append(_line([design, *cells]))
    return "\n".join(lines)


def effects_table(table: pd.DataFrame) -> str:
    """Return 1 − coverage where there are effects, of their mean and of those of these schools."""
    of = table[(table["effects"] != "none") & (table["rule"] == "rule")]
    columns = (*COLUMNS[:5], "band")
    lines = [
        _line(["never + cohorts", "effects", "treated variance", "misses", *columns]),
        _rule(4 + len(columns)),
    ]
    for key, rows in of.groupby(["design", "effects", "spread", "truth"], sort=False):
        if rows["answered"].max() == 0:
            continue
        told = [_told(rows, kind) for kind in columns]
        lines.append(_line([*map(str, key), *told]))
    return "\n".join(lines)


def settings_table(table: pd.DataFrame) -> str:
    """Return the sizes where something else is amiss."""
    of = table[(table["effects"] == "none") & (table["rule"] == "rule")]
    other = (of["setting"] + of["method"] != "") | (of["controls"] != "never_treated")
    of = of[other | ~of["design"].isin(MAIN)]
    columns = COLUMNS
    lines = [
        _line(["never + cohorts", "setting", "treated variance", "panels", *columns]),
        _rule(4 + len(columns)),
    ]
    keys = ["design", "controls", "setting", "method", "spread"]
    for key, rows in of.groupby(keys, sort=False):
        design, controls, setting, method, spread = map(str, key)
        words = [
            "not yet treated" if controls == "not_yet_treated" else "", setting,
            method.replace("_", " "),
        ]  # fmt: skip
        lines.append(
            _line([design, ", ".join(filter(None, words)), spread, f"{int(rows['panels'].max()):,}",
                   *(_told(rows, kind) for kind in columns)])
        )  # fmt: skip
    return "\n".join(lines)


def panel_tables(table: pd.DataFrame) -> dict[str, str]:
    """Return the page's tables by the names of their markers."""
    return {
        SIZES: sizes_table(table),
        RANGES: ranges_table(table),
        OUTSIDE: outside_table(table),
        RULES: rules_table(table),
        EFFECTS: effects_table(table),
        SETTINGS: settings_table(table),
    }


def _noise(table: pd.DataFrame) -> pd.DataFrame:
    """Return what is told of panels without effects or anything else amiss."""
    return table[
        (table["rule"] == "rule") & (table["effects"] == "none") & (table["setting"] == "")
        & (table["method"] == "") & (table["controls"] == "never_treated")
        & table["design"].isin(MAIN)
    ]  # fmt: skip


def _told(rows: pd.DataFrame, kind: str, *, bold: bool = True) -> str:
    """Return a mean share; bold where a single row leaves the band; "none" without a test."""
    of = rows[rows["kind"] == kind]
    if of.empty:
        return ""
    one = of.iloc[0]
    if one["answered"] == 0:
        return "none"
    text = _share(one["rejected"])
    if leaves_band(one) and bold:
        low, high = _ends(one)
        far = high if high > HIGH else low
        text = f"**{text}**" if _share(far) == text else f"**{text}** (one {_share(far)})"
    return text if one["answered"] > 0.995 else f"{text} [{one['answered']:.0%}]"


def _where(row: pd.Series) -> str:
    words = [
        f"{row['errors']}, AR {row['correlation']:g}, treated variance {row['spread']}",
        "" if row["effects"] == "none" else f"effects {row['effects']}",
        row["setting"],
        str(row["method"]).replace("_", " "),
        "not yet treated" if row["controls"] == "not_yet_treated" else "",
    ]
    if row["panels"] >= SINGLE_PANELS and row["rows"] > 1:
        words.append(f"`{row['highest_row'] if row['highest'] > HIGH else row['lowest_row']}`")
    return "; ".join(filter(None, words))


def _in_order(values: pd.Series) -> Sequence[str]:
    return list(dict.fromkeys(values))


def _rule(columns: int) -> str:
    return "|---" * columns + "|"
