"""A staggered roll-out as the files of three states, a list of schools and a crosswalk of ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.random_streams import stream
from schooltrial.simulate.base import faults
from schooltrial.simulate.staggered_rollout.parameters import (
    FIRST_CHANGE,
    NEVER,
    OUTCOMES,
    REGIONS,
    RolloutParameters,
)
from schooltrial.simulate.staggered_rollout.published_rates import (
    SHOWN,
    STYLES,
    WHAT,
    Texts,
    count_text,
    publication,
    rate_text,
)
from schooltrial.simulate.staggered_rollout.school_changes import SchoolChange

TEST_COLUMN = {"East": "subject", "West": "Test"}


ID_COLUMN = {"East": "school_id", "Middle": "School code", "West": "SchoolNumber"}


NO_SCHOOL = -1
"""Row of a school that is none of the roll-out's."""


EAST_NEW_TEST = 2015
"""From this year on the East calls its ELA test ELA, and not READ."""


@dataclass(frozen=True)
class RolloutFiles:
    """Raw files, how each is written, and the faults planted in them."""

    files: dict[str, pd.DataFrame]
    encodings: dict[str, str]
    delimiters: dict[str, str]
    faults: list[dict[str, Any]]


def rollout_files(
    parameters: RolloutParameters,
    schools: pd.DataFrame,
    school_years: pd.DataFrame,
    changes: tuple[SchoolChange, ...],
    seed: int,
) -> RolloutFiles:
    """Return the files of a roll-out.

    Parameters
    ----------
    parameters : RolloutParameters
        How many of each fault to plant.
    schools, school_years : pandas.DataFrame
        The complete data.
    changes : tuple of SchoolChange
        Schools that change.
    seed : int
        Seed of the study; each file and fault has its own stream.

    Returns
    -------
    RolloutFiles
        ``schools.csv``, ``fellowship_list.csv``, ``crosswalk.csv``, and for each region and year
        ``<region>_<year>.csv``, in the form of the region.

    Raises
    ------
    ValueError
        If more cells are to be spoilt than a file has, or a renamed column or an encoding is of a
        file or column that is not there.
    """
    outside = _outside(parameters, schools, seed)
    crosswalk = _crosswalk(parameters, schools, changes, seed)
    files = {
        "schools.csv": _schools(schools, outside),
        "fellowship_list.csv": _list(schools),
        "crosswalk.csv": crosswalk.drop(columns="school"),
    }
    planted = [faults.record("accented_names", "schools.csv", parameters.accented_names,
                             "school names with a letter beyond ASCII")]  # fmt: skip
    planted += [
        faults.record(f"school_{change}", "crosswalk.csv", len(rows), f"schools {change}")
        for change, rows in crosswalk[crosswalk["school"] != NO_SCHOOL].groupby("change", sort=True)
    ]
    for region in REGIONS:
        for year in parameters.years:
            name = f"{region.lower()}_{year}.csv"
            rows = _reported(school_years, schools, crosswalk, region, year, seed)
            strangers = _outside_rows(outside, region, year, seed)
            files[name], found = _score_file(parameters, rows, strangers, region, year, seed)
            planted += found
    planted += faults.rename_columns(parameters.renamed_columns, files)
    styles = {
        f"{region.lower()}_{year}.csv": STYLES[region]
        for region in REGIONS
        for year in parameters.years
    }
    odd = {name: style.encoding for name, style in styles.items() if style.encoding != "utf-8"}
    encodings, found = faults.encode((*odd.items(), *parameters.encodings), files)
    delimiters = {name: style.delimiter for name, style in styles.items() if style.delimiter != ","}
    found += [
        faults.record("delimiter", name, 1, f"columns separated by {mark!r}")
        for name, mark in delimiters.items()
    ]
    return RolloutFiles(files, encodings, delimiters, planted + found)


def _outside(parameters: RolloutParameters, schools: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return schools that are in the states' files but not on the list of the study."""
    rng = stream(seed, "outside schools")
    n = len(REGIONS) * parameters.outside_schools
    region = np.repeat(np.array(REGIONS, dtype=object), parameters.outside_schools)
    digits = rng.choice(np.arange(60_000, 80_000), n, replace=False)
    return pd.DataFrame({
        "region": region,
        "school_code": [f"{REGIONS.index(r)}{d}" for r, d in zip(region, digits, strict=True)],
        "school_name": [f"Not in the study {k + 1} (synthetic)" for k in range(n)],
        "size": rng.choice(schools["size"].to_numpy(), n),
        "rate": rng.uniform(20, 80, n),
    })  # fmt: skip


def _outside_rows(outside: pd.DataFrame, region: str, year: int, seed: int) -> pd.DataFrame:
    rows = outside[outside["region"] == region]
    rng = stream(seed, "outside rates", region, year)
    tested = np.maximum(rng.poisson(rows["size"]), 1)
    frame = rows[["school_code", "school_name"]].assign(n_tested=tested)
    for outcome in OUTCOMES:
        frame[outcome] = 100 * rng.binomial(tested, rows["rate"].to_numpy() / 100) / tested
    return frame


def _schools(schools: pd.DataFrame, outside: pd.DataFrame) -> pd.DataFrame:
    frame = pd.concat([schools, outside.assign(charter=False)], ignore_index=True)
    frame["charter"] = np.where(frame["charter"], "Y", "N")
    frame["grades"] = "3-8"
    columns = ["school_code", "school_name", "region", "grades", "charter"]
    return frame[columns].sort_values("school_code", ignore_index=True)


def _list(schools: pd.DataFrame) -> pd.DataFrame:
    """Return who entered when; the ids are those of the year before the first cohort."""
    frame = schools[["school_code", "region"]].copy()
    frame["arm"] = np.where(schools["treated"], "F", "C")
    cohort = schools["cohort"].astype(str)
    frame["first_year"] = cohort.where(schools["cohort"] != NEVER, "")
    return frame.sort_values(["region", "school_code"], ignore_index=True)


def _crosswalk(
    parameters: RolloutParameters,
    schools: pd.DataFrame,
    changes: tuple[SchoolChange, ...],
    seed: int,
) -> pd.DataFrame:
    """Return which ids of the files lead to which id of the list, and from which year on.

    The second id of a school that is renamed or split leads back to the id on the list; a school
    that merged leads on to the one that it merged into; one that closed leads nowhere.
    """
    lasting = [change for change in changes if change.change != "opened"]
    digits = stream(seed, "new school codes").choice(
        np.arange(80_000, 100_000), len(lasting), False
    )
    codes = schools["school_code"].to_numpy(dtype=object)
    rows = []
    for change, number in zip(lasting, digits, strict=True):
        own = codes[change.school]
        if change.change in ("renamed", "split"):
            pair = f"{own[0]}{number}", own
        else:
            pair = own, codes[change.into] if change.change == "merged" else ""
        rows.append((*pair, str(change.year), change.change, change.school))
    if not rows:
        # No file is sent empty: a school that is in no other file closed.
        digits = stream(seed, "new school codes").choice(np.arange(80_000, 100_000))
        year = str(parameters.years[FIRST_CHANGE])
        rows = [(f"{REGIONS.index(REGIONS[0])}{digits}", "", year, "closed", NO_SCHOOL)]
    columns = ["reported_code", "list_code", "from_year", "change", "school"]
    frame = pd.DataFrame(rows, columns=pd.Index(columns), dtype=object)
    return frame.sort_values("reported_code", ignore_index=True)


def _reported(
    school_years: pd.DataFrame,
    schools: pd.DataFrame,
    crosswalk: pd.DataFrame,
    region: str,
    year: int,
    seed: int,
) -> pd.DataFrame:
    """Return the rates of a region and year under the ids that the schools then had."""
    rows = school_years[(school_years["region"] == region) & (school_years["year"] == year)]
    rows = rows.assign(school_name=schools["school_name"].to_numpy()[rows["school"]])
    rows = rows.set_index("school")
    parts = []
    for entry in crosswalk.itertuples():
        if entry.school not in rows.index or year < int(entry.from_year):
            continue
        if entry.change == "renamed":
            rows.loc[entry.school, "school_code"] = entry.reported_code
        elif entry.change == "split" and rows.loc[entry.school, "n_tested"] > 1:
            rng = stream(seed, "split", entry.reported_code, year)
            part = _second_half(rows.loc[entry.school], rng)
            rows.loc[entry.school, part.index] -= part
            second = rows.loc[[entry.school]].assign(
                school_code=entry.reported_code, **part.to_dict()
            )
            parts.append(second)
    rows = pd.concat([rows, *parts])
    for outcome in OUTCOMES:
        rows[outcome] = 100 * rows[f"{outcome}_proficient"] / rows["n_tested"]
    return rows[["school_code", "school_name", "n_tested", *OUTCOMES]]


def _second_half(row: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Return pupils tested, and proficient, who are at the second school after a split."""
    tested = int(row["n_tested"])
    part = {"n_tested": int(np.clip(rng.binomial(tested, 0.5), 1, tested - 1))}
    for outcome in OUTCOMES:
        name = f"{outcome}_proficient"
        part[name] = int(rng.hypergeometric(row[name], tested - row[name], part["n_tested"]))
    return pd.Series(part)


def _score_file(
    parameters: RolloutParameters,
    rows: pd.DataFrame,
    strangers: pd.DataFrame,
    region: str,
    year: int,
    seed: int,
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the file of a region and year with its faults, and the record of them."""
    name, style = f"{region.lower()}_{year}.csv", STYLES[region]
    gone = faults.pick(len(rows), parameters.missing_rows, "missing_rows", name, seed)
    kept = rows.iloc[np.setdiff1d(np.arange(len(rows)), gone)]
    shown = pd.concat([kept, strangers]).sort_values("school_code", ignore_index=True)
    rates = {outcome: shown[outcome].round(style.decimals(year)) for outcome in OUTCOMES}
    how = {o: publication(parameters, style, shown["n_tested"], rates[o]) for o in OUTCOMES}
    cells = {o: rate_text(parameters, style, rates[o], how[o], year) for o in OUTCOMES}
    planted = [
        faults.record("missing_rows", name, len(gone), "schools of the list that are left out"),
        faults.record("outside_schools", name, len(strangers), "schools that are not on the list"),
        *(
            faults.record(
                f"suppressed_{kind}", name, int(sum((how[o] == kind).sum() for o in how)), what
            )
            for kind, what in WHAT.items()
        ),
    ]
    wild = _spoil_rates(parameters, cells, rates, how, name, seed)
    planted.append(faults.record("impossible_rates", name, wild, "rates that lost their decimals"))
    for fault, mark in (("decimal_commas", ","), ("percent_signs", "%")):
        count = sum(mark in cell for texts in cells.values() for cell in texts)
        if mark in (style.decimal, style.sign):
            planted.append(faults.record(fault, name, count, f"rates written with {mark!r}"))
    frame = _layout(parameters, shown, cells, region, year)
    frame, found = _spoil_rows(parameters, frame, region, name, seed)
    return frame, planted + found


def _spoil_rates(
    parameters: RolloutParameters,
    cells: dict[str, Texts],
    rates: dict[str, pd.Series],
    how: dict[str, Texts],
    file: str,
    seed: int,
) -> int:
    """Write some rates ten times too large, in place, and return how many."""
    places = [
        (outcome, int(row))
        for outcome in OUTCOMES
        for row in np.flatnonzero((how[outcome] == SHOWN) & (rates[outcome] > 10.5).to_numpy())
    ]
    chosen = faults.pick(len(places), parameters.impossible_rates, "impossible_rates", file, seed)
    for place in chosen:
        outcome, row = places[place]
        sign = "%" if cells[outcome][row].endswith("%") else ""
        cells[outcome][row] = f"{round(10 * rates[outcome][row])}{sign}"
    return len(chosen)


def _layout(
    parameters: RolloutParameters,
    shown: pd.DataFrame,
    cells: dict[str, Texts],
    region: str,
    year: int,
) -> pd.DataFrame:
    """Return a region's columns, in its order and under its names."""
    code, tested = shown["school_code"], count_text(parameters, shown["n_tested"])
    if region == "Middle":
        return pd.DataFrame({
            ID_COLUMN[region]: code, "School name": shown["school_name"], "Tested": tested,
            "ELA % proficient": cells["ela"], "Maths % proficient": cells["maths"],
        }, dtype=object)  # fmt: skip
    if region == "East":
        codes = {"ela": "READ" if year < EAST_NEW_TEST else "ELA", "maths": "MATH"}
        long = [
            pd.DataFrame({"school_id": code, "subject": codes[outcome], "n_tested": tested,
                          "pct_proficient": cells[outcome]}, dtype=object)
            for outcome in OUTCOMES
        ]  # fmt: skip
    else:
        codes = {"ela": "E", "maths": "M"}
        long = [
            pd.DataFrame({"Year": str(year), "SchoolNumber": code, "Test": codes[outcome],
                          "NumTested": tested, "PctProficient": cells[outcome]}, dtype=object)
            for outcome in OUTCOMES
        ]  # fmt: skip
    order = [ID_COLUMN[region], TEST_COLUMN[region]]
    return pd.concat(long).sort_values(order, ignore_index=True)


def _spoil_rows(
    parameters: RolloutParameters, frame: pd.DataFrame, region: str, file: str, seed: int
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Pad ids, change the case of codes, and repeat rows."""
    padded = faults.pick(len(frame), parameters.padded_ids, "padded_ids", file, seed)
    frame.loc[padded, ID_COLUMN[region]] = frame.loc[padded, ID_COLUMN[region]] + " "
    found = [faults.record("padded_ids", file, len(padded), "ids with a blank after them")]
    if region in TEST_COLUMN:
        test = TEST_COLUMN[region]
        rows = faults.pick(len(frame), parameters.restyled_codes, "restyled_codes", file, seed)
        frame.loc[rows, test] = frame.loc[rows, test].str.lower()
        found.append(faults.record("restyled_codes", file, len(rows), "codes in lower case"))
    repeats = faults.pick(len(frame), parameters.duplicate_rows, "duplicate_rows", file, seed)
    found.append(faults.record("duplicate_rows", file, len(repeats), "exact repeats of a row"))
    return pd.concat([frame, frame.loc[repeats]], ignore_index=True), found
