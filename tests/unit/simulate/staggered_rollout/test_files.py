import dataclasses
import io
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.staggered_rollout.parameters import REGIONS, RolloutParameters
from schooltrial.simulate.staggered_rollout.trial import simulate

YEARS = RolloutParameters().years
SMALL = RolloutParameters(
    treated_schools=tuple((r, (("2016", 2), ("2017", 2))) for r in REGIONS),
    comparison_schools=tuple((r, 24) for r in REGIONS),
)
NAMES = {
    "SchoolID": "school_id", "pct_met_standard": "pct_proficient",
    "Reading % proficient": "ELA % proficient", "N_Tested": "NumTested",
}  # fmt: skip
SMALL_MARKS = {"East": "*", "Middle": "s", "West": "n<10"}


@pytest.fixture(scope="module")
def trial() -> SimulatedTrial:
    return simulate(RolloutParameters(), seed=2016)


def read(trial: SimulatedTrial, name: str) -> pd.DataFrame:
    """Return a file written and read again, its columns under their ordinary names."""
    raw = trial.files[name].to_csv(index=False, sep=trial.delimiters.get(name, ","))
    code = trial.encodings[name]
    back = pd.read_csv(
        io.BytesIO(raw.encode(code)), dtype=str, keep_default_na=False, encoding=code,
        sep=trial.delimiters.get(name, ","),
    )  # fmt: skip
    assert (back.to_numpy() == trial.files[name].to_numpy()).all(), name
    return back.rename(columns=NAMES)


def long(trial: SimulatedTrial, region: str, year: int) -> pd.DataFrame:
    """Return a score file as code, outcome, tested and rate, all still as published."""
    frame = read(trial, f"{region.lower()}_{year}.csv")
    if region == "Middle":
        assert list(frame) == ["School code", "School name", "Tested", "ELA % proficient",
                               "Maths % proficient"]  # fmt: skip
        frame = frame.rename(columns={"ELA % proficient": "ela", "Maths % proficient": "maths"})
        frame = frame.drop(columns="School name").rename(columns={"School code": "code"})
        return frame.melt(["code", "Tested"], var_name="test", value_name="rate").rename(
            columns={"Tested": "tested"}
        )
    if region == "West":
        assert (frame.pop("Year") == str(year)).all()
    frame.columns = pd.Index(["code", "test", "tested", "rate"])
    return frame


def scores(trial: SimulatedTrial) -> dict[str, tuple[str, int, pd.DataFrame]]:
    return {
        f"{region.lower()}_{year}.csv": (region, year, long(trial, region, year))
        for region in REGIONS
        for year in YEARS
    }


def planted(trial: SimulatedTrial, fault: str) -> dict[str, int]:
    return {f["file"]: f["count"] for f in trial.truth["faults"] if f["fault"] == fault}


def test_score_files_hold_the_recorded_number_of_each_fault(trial: SimulatedTrial) -> None:
    listed = set(trial.schools["school_code"]) | set(trial.files["crosswalk.csv"]["reported_code"])
    for name, (region, _, _) in scores(trial).items():
        raw = read(trial, name)
        assert raw.duplicated().sum() == planted(trial, "duplicate_rows")[name] == 2
        once = raw.drop_duplicates()
        ids = once[{"East": "school_id", "Middle": "School code", "West": "SchoolNumber"}[region]]
        assert (ids != ids.str.strip()).sum() == planted(trial, "padded_ids")[name] == 3
        outside = set(ids.str.strip()) - listed
        assert len(outside) == planted(trial, "outside_schools")[name] == 4
        if region != "Middle":
            tests = once["subject" if region == "East" else "Test"]
            lower = (tests != tests.str.upper()).sum()
            assert lower == planted(trial, "restyled_codes")[name] == 4
    assert set(planted(trial, "restyled_codes")) == {n for n in scores(trial) if n[0] != "m"}


def test_score_files_hold_the_recorded_number_of_suppressed_and_impossible_rates(
    trial: SimulatedTrial,
) -> None:
    total = dict.fromkeys(("small", "top", "bottom", "range", "wild"), 0)
    for name, (region, year, frame) in scores(trial).items():
        # In the wide file a row is repeated; there each cell is told apart by school and test.
        frame = frame.drop_duplicates(["code", "test"]) if region == "Middle" else frame
        rate = frame.drop_duplicates()["rate"]
        number = rate.str.removesuffix("%").str.replace(",", ".")
        found = {
            "small": int((rate == SMALL_MARKS[region]).sum()),
            "top": int(rate.str.match("≥95|>=95").sum()),
            "bottom": int(rate.str.match("≤5|<=5").sum()),
            "range": int(rate.str.fullmatch(r"\d+-\d+%").sum()),
            "wild": int((pd.to_numeric(number, errors="coerce") > 100).sum()),
        }
        for kind, count in found.items():
            fault = "impossible_rates" if kind == "wild" else f"suppressed_{kind}"
            assert planted(trial, fault)[name] == count, (name, kind)
            total[kind] += count
        for fault, mark, where in (
            ("decimal_commas", ",", "Middle"),
            ("percent_signs", "%", "West"),
        ):
            marked = int(rate.str.contains(mark, regex=False).sum())
            assert planted(trial, fault).get(name, 0) == marked, (name, fault)
            assert (marked > 0) == (region == where)
        decimals = number[number.str.fullmatch(r"\d{1,2}(\.\d+)?")].str.contains(".", regex=False)
        assert decimals.all() if not (region == "West" and year <= 2013) else not decimals.any()
    assert min(total.values()) > 0
    assert total["wild"] == len(YEARS) * len(REGIONS)


def interval(cell: str, region: str, year: int) -> tuple[float, float]:
    """Return the least and greatest rate that a published cell can stand for."""
    text = cell.removesuffix("%").replace(",", ".")
    if text == SMALL_MARKS[region]:
        return 0.0, 100.0
    half = 0.5 if region == "West" and year <= 2013 else 0.05
    if found := re.fullmatch(r"(?:≥|>=)(\d+)", text):
        return float(found[1]) - half, 100.0
    if found := re.fullmatch(r"(?:≤|<=)(\d+)", text):
        return 0.0, float(found[1]) + half
    if found := re.fullmatch(r"(\d+)-(\d+)", text):
        return float(found[1]) - 0.6, float(found[2]) + 0.6
    return float(text) - half - 1e-9, float(text) + half + 1e-9


@pytest.mark.parametrize("years", [(2012, 2018), pytest.param(YEARS, marks=pytest.mark.slow)])
def test_cleaning_by_the_stated_rules_gives_back_the_complete_panel(
    trial: SimulatedTrial, years: tuple[int, ...]
) -> None:
    tests = {"READ": "ela", "ELA": "ela", "E": "ela", "MATH": "maths", "M": "maths"}
    back = trial.files["crosswalk.csv"]
    back = back[back["change"].isin(["renamed", "split"])].set_index("reported_code")
    complete = trial.complete["school_years"].set_index(["school_code", "year"])
    complete = complete[complete.index.isin(years, level="year")]
    files = {name: one for name, one in scores(trial).items() if one[1] in years}
    assert len(files) == 3 * len(years)
    seen = 0
    for name, (region, year, frame) in files.items():
        frame = frame.assign(code=frame["code"].str.strip(), test=frame["test"].str.upper())
        frame = frame.drop_duplicates()
        moved = frame["code"].isin(back.index)
        assert (back.loc[frame.loc[moved, "code"], "from_year"].astype(int) <= year).all()
        frame["school"] = frame["code"].where(~moved, frame["code"].map(back["list_code"]))
        frame = frame[frame["school"].isin(trial.schools["school_code"])]
        there = complete.xs(year, level="year")
        there = there[there["region"] == region]
        assert len(there) - frame["school"].nunique() == planted(trial, "missing_rows")[name] == 1
        for (school, test), rows in frame.groupby(["school", "test"]):
            assert len(rows) == 1 or "split" in set(back.loc[back["list_code"] == school, "change"])
            truth = there.loc[school]
            n, rate = truth["n_tested"], truth[tests.get(test, test.lower())]
            low, high = np.array([interval(cell, region, year) for cell in rows["rate"]]).T
            if low.max() > 100:
                continue
            small = rows["tested"].str.startswith("<")
            tested = pd.to_numeric(rows["tested"].where(~small, "9")).to_numpy()
            if not small.any():
                assert tested.sum() == n
            share = tested / tested.sum()
            if len(rows) == 1 or not small.any():
                assert (share * low).sum() <= rate <= (share * high).sum()
            seen += 1
    assert seen == 2 * (len(complete) - len(files)) - len(files)


def test_the_crosswalk_names_ids_that_begin_and_end_in_the_files_when_it_says(
    trial: SimulatedTrial,
) -> None:
    crosswalk = trial.files["crosswalk.csv"]
    seen: dict[str, set[int]] = {}
    for _, year, frame in scores(trial).values():
        for code in frame["code"].str.strip().unique():
            seen.setdefault(code, set()).add(year)
    gaps = 30  # one school a file is left out
    for row in crosswalk.itertuples():
        since = int(row.from_year)
        if row.change in ("renamed", "split"):
            assert min(seen[row.reported_code]) >= since
            gaps -= len(set(range(since, 2020)) - seen[row.reported_code])
            assert (max(seen[row.list_code]) < since) == (row.change == "renamed")
        else:
            assert max(seen[row.reported_code]) < since
            assert (row.list_code == "") == (row.change == "closed")
    assert gaps >= 0
    counts = crosswalk["change"].value_counts().to_dict()
    assert counts == {"renamed": 14, "closed": 10, "merged": 5, "split": 4}
    for change, count in counts.items():
        assert planted(trial, f"school_{change}") == {"crosswalk.csv": count}
    assert crosswalk["reported_code"].is_unique


def test_the_list_names_each_school_once_with_its_cohort(trial: SimulatedTrial) -> None:
    listed = trial.files["fellowship_list.csv"].set_index("school_code")
    schools = trial.schools.set_index("school_code").loc[listed.index]
    assert len(listed) == len(trial.schools)
    assert ((listed["arm"] == "F") == schools["treated"]).all()
    cohort = listed["first_year"].replace("", "0").astype(int)
    assert (cohort == schools["cohort"]).all()
    assert set(listed["first_year"]) == {"", "2016", "2017"}
    known = trial.files["schools.csv"]
    assert known["school_code"].is_unique
    assert len(known) == len(listed) + 12
    assert set(listed.index) < set(known["school_code"])
    assert known["school_code"].str.fullmatch(r"\d{6}").all()
    assert known["school_code"].str.startswith("0").any()


def test_files_are_written_in_the_form_of_their_region(trial: SimulatedTrial) -> None:
    assert trial.files
    for name in trial.files:
        delimiter = trial.delimiters.get(name, ",")
        assert delimiter == {"middle": ";", "west": "\t"}.get(name.split("_")[0], ",")
        if name.startswith("middle"):
            assert trial.encodings[name] == "cp1252"
            names = trial.files[name]["School name"]
            assert not names.str.isascii().all()
    assert trial.encodings["east_2013.csv"] == "utf-8-sig"
    assert set(trial.encodings) == set(trial.files)
    accents = (~trial.files["schools.csv"]["school_name"].str.isascii()).sum()
    assert accents == planted(trial, "accented_names")["schools.csv"] == 5
    assert planted(trial, "encoding").keys() == {
        name for name, code in trial.encodings.items() if code != "utf-8"
    }
    assert planted(trial, "delimiter").keys() == set(trial.delimiters)


def test_five_files_call_a_column_otherwise(trial: SimulatedTrial) -> None:
    odd = {name for name, frame in trial.files.items() if set(frame) & set(NAMES)}
    assert odd == set(planted(trial, "renamed_column"))
    assert len(odd) == 5


def test_a_roll_out_without_mess_has_none() -> None:
    faults = (
        "missing_rows", "duplicate_rows", "impossible_rates", "padded_ids", "restyled_codes",
        "accented_names", "outside_schools", "suppress_below", "range_below", "small_schools",
    )  # fmt: skip
    none: Any = dict.fromkeys(faults, 0)
    clean = dataclasses.replace(
        SMALL, **none, top_code=101.0, bottom_code=-1.0, renamed_columns=(), encodings=(),
        school_changes=(), treated_changes=(),
    )  # fmt: skip
    trial = simulate(clean, 1)
    form = ("encoding", "delimiter", "decimal_commas", "percent_signs")
    assert trial.truth["faults"]
    assert all(f["count"] == 0 for f in trial.truth["faults"] if f["fault"] not in form)
    assert len(trial.complete["school_years"]) == 84 * 10
    assert len(trial.files["east_2014.csv"]) == 2 * 28
    # A file is never empty: the one row is of a school that closed and is in no other file.
    (row,) = trial.files["crosswalk.csv"].to_dict("records")
    assert (row["list_code"], row["change"]) == ("", "closed")
    assert row["reported_code"] not in set(trial.files["schools.csv"]["school_code"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"impossible_rates": 10**5}, "lower impossible_rates"),
        ({"missing_rows": 10**5}, "lower missing_rows"),
        ({"renamed_columns": (("east_1.csv", "a", "b"),)}, "'east_1.csv', which the trial"),
        pytest.param(
            {"encodings": (("east.csv", "utf-8"),)}, "'east.csv', which the trial",
            marks=pytest.mark.slow,
        ),
        ({"accented_names": 90}, "only 24 of the 84 school names"),
        ({"treated_changes": (("closed", 12),), "treated_schools": tuple(
            (r, (("2016", 2), ("2019", 2))) for r in REGIONS),
          "cohort_weight": (("2016", 1), ("2019", 1))}, "No treated school is left"),
        ({"school_changes": (("merged", 36),),
          "comparison_schools": (("East", 23), ("Middle", 23), ("West", 26))}, "too few"),
    ],
)  # fmt: skip
def test_mess_that_cannot_be_planted_is_refused(change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(dataclasses.replace(SMALL, **change), 1)
