"""Claims about the flow diagram of any study: every line is the ledger's, and the lines add up."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from results.compared_arms import lines_compared, rests_on_a_part
from schooltrial.wording import plural_of

UNITS = ("school", "teacher", "class", "group", "pupil")


@pytest.fixture(scope="module")
def boxes(results: Path) -> pd.DataFrame:
    return pd.read_csv(results / "checks" / "flow_boxes.csv", keep_default_na=False)


@pytest.fixture(scope="module")
def ledger(results: Path) -> pd.DataFrame:
    return pd.read_csv(results / "checks" / "ledger.csv", keep_default_na=False)


@pytest.fixture(scope="module")
def samples(results: Path) -> dict[str, pd.DataFrame]:
    names = {"pupil": "sample", "teacher": "teacher_sample"}
    return {
        level: pd.read_parquet(results / "data" / f"{name}.parquet")
        for level, name in names.items()
    }


def _unit(boxes: pd.DataFrame) -> str:
    return str(
        boxes.loc[
            boxes["text"].isin([f"{plural_of(unit)} assigned" for unit in UNITS]), "level"
        ].item()
    )


def _arms(boxes: pd.DataFrame) -> list[str]:
    return [str(arm) for arm in boxes["arm"].unique() if arm != "all"]


def _total(boxes: pd.DataFrame, kind: str) -> int:
    return int(boxes.loc[boxes["kind"] == kind, "n"].sum())


def test_the_units_of_the_files_less_those_outside_the_list_are_those_assigned(
    results: Path, boxes: pd.DataFrame
) -> None:
    top = boxes[boxes["arm"] == "all"]
    read = {
        n: pd.read_parquet(results / "data" / f"{n}.parquet") for n in ("schools", "assignment")
    }
    files = top[top["stage"] == "files"]
    if len(read["schools"]):
        linking = pd.read_csv(results / "checks" / "linking.csv", keep_default_na=False)
        unlisted = {s for text in linking["not_found"] if text for s in json.loads(text)}
        described = set(read["schools"]["school"].astype("str"))
        assert _total(files, "in") == len(described | unlisted)
    unit = _unit(boxes)
    assigned = top.loc[(top["stage"] == "assigned") & (top["kind"] == "in"), "n"].item()
    in_no_file = boxes.loc[boxes["text"] == f"{plural_of(unit)} with no data received"]
    in_no_file = in_no_file.drop_duplicates("arm")["n"].sum()
    assert assigned == read["assignment"][unit].nunique() + in_no_file
    if unit == "school":
        assert _total(files, "in") - _total(files, "lost") + _total(files, "joined") == assigned


def test_the_units_allocated_are_those_listed_and_those_without_data(
    results: Path, boxes: pd.DataFrame
) -> None:
    units = pd.read_parquet(results / "data" / "assignment.parquet")
    unit, every = _unit(boxes), 0
    assert len(_arms(boxes)) > 1
    for arm in _arms(boxes):
        mine = boxes[boxes["arm"] == arm]
        n = mine.loc[mine["text"] == f"{plural_of(unit)} allocated", "n"].item()
        in_no_file = mine.loc[mine["text"] == f"{plural_of(unit)} with no data received", "n"]
        listed = units.loc[units["arm"].astype("str") == arm, unit].nunique()
        assert n == listed + (in_no_file.iloc[0] if len(in_no_file) else 0)
        every += n
    assert every == boxes.loc[boxes["text"] == f"{plural_of(unit)} assigned", "n"].item()


def test_the_rosters_are_those_of_the_samples(
    boxes: pd.DataFrame, samples: dict[str, pd.DataFrame]
) -> None:
    lines = boxes[boxes["text"].str.fullmatch(r"\w+ on the rosters of \d+")]
    assert len(lines) or all(sample.empty for sample in samples.values())
    for row in lines.itertuples():
        sample = samples[str(row.level)]
        there = (sample["year"] == int(row.year)) & (sample["arm"].astype("str") == row.arm)
        assert row.n == there.sum(), row.text


def test_every_loss_in_the_flow_is_in_the_exclusions_log(
    boxes: pd.DataFrame, ledger: pd.DataFrame
) -> None:
    told = boxes[boxes["step"] != ""]
    assert len(told)
    for row in told.itertuples():
        rows = ledger[
            (ledger["step"] == row.step) & (ledger["reason"] == row.reason)
            & (ledger["arm"] == row.arm) & (ledger["level"] == row.level)
        ]  # fmt: skip
        if not str(row.step).startswith(("analysed", "followed up")):
            rows = rows[rows["year"] == int(row.year)]
        assert row.n == len(rows), row.text


def test_movers_and_joiners_of_the_flow_are_those_of_the_samples(
    boxes: pd.DataFrame, samples: dict[str, pd.DataFrame]
) -> None:
    lines = boxes[(boxes["stage"] == "followed up") & boxes["text"].str.contains(" who ")]
    rosters = boxes[boxes["text"].str.fullmatch(r"\w+ on the rosters of \d+")]
    people = rosters[(rosters["level"] != _unit(boxes)) & (rosters["stage"] == "followed up")]
    then = rosters.loc[rosters["stage"] == "allocated", "year"]
    assert set(lines["year"]) == set(people["year"]) - set(then)
    for (level, year), part in lines.groupby(["level", "year"]):
        (since,) = boxes.loc[
            (boxes["stage"] == "allocated") & (boxes["level"] == level) & (boxes["year"] != ""),
            "year",
        ].unique()
        sample = samples[str(level)][[str(level), "year", "arm"]].astype({"arm": "str"})
        then, now = (sample[sample["year"] == int(at)].drop(columns="year") for at in (since, year))
        both = then.merge(now, on=level, how="outer", suffixes=("_then", "_now"))
        moved = both[both["arm_then"].notna() & both["arm_now"].notna()]
        moved = moved[moved["arm_then"] != moved["arm_now"]]
        joined = both[both["arm_then"].isna()]
        for row in part.itertuples():
            text = str(row.text)
            if " moved to " in text:
                assert row.n == (moved["arm_then"] == row.arm).sum()
            elif " came from " in text:
                assert row.n == (moved["arm_now"] == row.arm).sum()
            elif " joined since " in text:
                assert row.n == (joined["arm_now"] == row.arm).sum()
            else:
                assert "not followed" in text
                assert row.n == (then["arm"] == row.arm).sum()


def test_what_was_there_less_the_lost_and_with_the_joined_is_the_next_count(
    results: Path, boxes: pd.DataFrame
) -> None:
    """Follow-up starts from allocation, an analysis from the rosters of its years."""
    listed = pd.read_parquet(results / "data" / "assignment.parquet")
    followed = boxes[boxes["stage"] == "followed up"]
    assert len(followed)
    for (arm, level, year), lines in followed.groupby(["arm", "level", "year"]):
        mine = boxes[(boxes["arm"] == arm) & (boxes["level"] == level) & (boxes["kind"] == "in")]
        start = mine.loc[mine["stage"] == "allocated", "n"]
        if (lines["kind"] == "had").all():
            continue  # the schools that teachers or pupils are in
        start_at = start.item()
        if level == _unit(boxes) and "year" in listed:  # each unit is in its arm for one year
            of_year = (listed["arm"].astype("str") == arm) & (listed["year"] == int(year))
            start_at = int(of_year.sum())
        for part in _counts(lines) if level == "school" else [lines]:
            _walk(part, start_at, f"{arm}, {level}, {year}")


def _counts(lines: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the lines up to each count: schools with pupils and with published values."""
    before = (lines["kind"] == "in").cumsum().shift(fill_value=0)
    return [part for _, part in lines.groupby(before)]


def test_each_analysis_starts_from_the_rosters_and_adds_up(
    boxes: pd.DataFrame, samples: dict[str, pd.DataFrame]
) -> None:
    analysed = boxes[boxes["stage"] == "analysed"]
    assert len(analysed)
    for (arm, outcome, years, _), lines in analysed.groupby(["arm", "outcome", "year", "model"]):
        level = lines.loc[lines["kind"] == "in", "level"].iloc[0]
        first, *rest = (int(year) for year in str(years).replace(" to ", ", ").split(", "))
        every = range(first, rest[-1] + 1) if " to " in str(years) else [first, *rest]
        if level == "school":
            allocated = (boxes["arm"] == arm) & (boxes["text"] == "schools allocated")
            start = boxes.loc[allocated, "n"].item() * len(every)
        else:
            sample = samples[str(level)]
            there = sample["year"].isin(list(every)) & (sample["arm"].astype("str") == arm)
            start = int(there.sum())
        _walk(lines[lines["level"] == level], start, f"{arm}, {outcome}, {years}")


def _walk(lines: pd.DataFrame, start: int, where: str) -> None:
    """Follow a box from line to line; after a count of who is there, the next may start afresh."""
    running, signs = start, {"lost": -1, "joined": 1}
    assert len(lines), where
    for row in lines.itertuples():
        if row.kind in signs:
            running += signs[str(row.kind)] * int(row.n)
        elif row.kind == "in":
            assert running == row.n, f"{where}: {row.text}"
            running = int(row.n)


BEFORE = {"event study", "group-time effect", "pre-trend slope", "pre-trend test"}
"""Rows of which some are of years before the programme, and may rest on schools that left then."""


def test_the_numbers_analysed_are_those_of_the_estimates(
    boxes: pd.DataFrame, estimates: pd.DataFrame
) -> None:
    """Units are those assigned; schools are counted in a group only where they are the units."""
    unit = _unit(boxes)
    told = boxes[boxes["model"] != ""]
    allocated = boxes.loc[boxes["text"] == f"{plural_of(unit)} allocated", "n"].sum()
    assert len(told)
    for (model, outcome), lines in told.groupby(["model", "outcome"]):
        fitted = estimates[(estimates["model"] == model) & (estimates["outcome"] == outcome)]
        assert len(fitted), (model, outcome)
        for row in fitted.itertuples():
            mine = lines_compared(lines, str(row.term), fitted["term"])
            units = mine.loc[mine["text"] == f"{plural_of(unit)} analysed", "n"].sum()
            schools = mine.loc[mine["text"] == "in schools", "n"]
            most = allocated if row.estimand in BEFORE else units
            part = rests_on_a_part(row) and 0 < row.n_units <= most
            # A person who was assigned counts in each year of the flow, and once among the units.
            years = lines["year"].astype(str).str.contains("[,–]").any()
            again = years and unit != "school" and row.n_units < units == row.n_individuals
            assert row.n_units == units or part or again, (model, outcome, row.term)
            if unit == "school":
                own = row.n_treated_units == row.n_treated_schools
                assert row.n_schools == row.n_units and own, (model, outcome, row.term)
            else:
                inside = 0 if schools.empty else schools.max()
                assert inside <= row.n_schools <= schools.sum(), (model, outcome, row.term)
                assert pd.isna(row.n_treated_schools), (model, outcome, row.term)
            for level in ("pupil", "teacher"):
                if f"{level}s to be analysed" in set(mine["text"]):
                    people = mine.loc[mine["text"] == f"{level}s analysed", "n"].sum()
                    of_years = rests_on_a_part(row) and 0 < row.n_individuals <= people
                    assert row.n_individuals == people or of_years, (model, outcome, row.term)


def test_the_figure_draws_the_boxes(results: Path, boxes: pd.DataFrame) -> None:
    drawn = pd.read_csv(results / "figures" / "flow.csv", keep_default_na=False)
    if "cohort" not in drawn:
        pd.testing.assert_frame_equal(boxes, drawn[list(boxes)])
        return
    keys = ["stage", "arm", "outcome", "level", "kind", "text"]
    of_cohorts = drawn.groupby(keys)["n"].sum()  # cohorts of an arm add up to its box
    same = boxes.groupby(keys)["n"].sum().reindex(of_cohorts.index).dropna()
    assert {"files", "assigned", "allocated"} <= set(same.index.get_level_values("stage"))
    pd.testing.assert_series_equal(of_cohorts[same.index], same, check_dtype=False)
