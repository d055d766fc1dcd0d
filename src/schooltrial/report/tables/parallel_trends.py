"""What becomes of effects under trends that were not parallel, as the report shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from schooltrial.document.numbers import decimals_of, interval, number, p_text, significant
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import listed

COLUMNS = [
    Column("Analysis", key="said"),
    Column("Estimate", "significant", 3, key="estimate"),
    Column("95% CI", "told", key="bounds"),
    Column("p", "p", key="p_value"),
    Column("df", "number", 1, optional=True),
    Column("Note", optional=True, key="note"),
]

LEFT_OUT = "leave out "

SHOWN = ("as fitted", "relative magnitudes", "smoothness", "placebo year", "placebo cohort",
         "placebo outcome")  # fmt: skip


def parallel_trends_shown(found: pd.DataFrame, labels: Mapping[str, str]) -> Table | None:
    """Return the effects as they are tried, by model and outcome; None if there is none."""
    rows = found[found["check"].isin(SHOWN) | found["check"].str.startswith(LEFT_OUT)]
    if rows.empty:
        return None
    fitted = found[found["check"] == "as fitted"].set_index(["model", "outcome"])
    widths = (fitted["conf_high"] - fitted["conf_low"]).map(decimals_of)
    shown = [int(widths.get(key, 2)) for key in zip(rows["model"], rows["outcome"], strict=True)]
    told = rows.assign(
        said=[_said(*one) for one in zip(rows["check"], rows["setting"], strict=True)],
        bounds=[
            interval(low, high, digits)
            for low, high, digits in zip(rows["conf_low"], rows["conf_high"], shown, strict=True)
        ],
    )
    group = [
        labels.get(outcome, outcome) if rows["model"].nunique() == 1
        else f"{labels.get(outcome, outcome)}, model {model}"
        for model, outcome in zip(rows["model"], rows["outcome"], strict=True)
    ]  # fmt: skip
    return tabulate("Effects under other trends", told, COLUMNS, group=group)


def _said(check: str, setting: object) -> str:
    level = "" if pd.isna(setting) else str(setting)
    match check:
        case "as fitted":
            return "As fitted"
        case "relative magnitudes" if not level:
            return "Trends that differ by a multiple of the largest yearly difference before"
        case "smoothness" if not level:
            return "A difference in trend that changes its slope"
        case "placebo year" if not level:
            return "Placebo: programme some years earlier"
        case "relative magnitudes":
            return f"Trends differ by up to {level} × the largest yearly difference before"
        case "smoothness":
            return f"A difference in trend changes its slope by up to {level} a year"
        case "placebo year":
            return f"Placebo: programme {level} year{'' if level == '1' else 's'} earlier"
        case "placebo cohort":
            return "Among placebo cohorts of schools without the programme"
        case "placebo outcome":
            return "Placebo: an outcome on which no effect is expected"
        case _:
            return f"Without {check.removeprefix(LEFT_OUT)} {level}".strip()


def parallel_trends_sentences(found: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return what is found of each model and outcome, in sentences."""
    several = found["model"].nunique() > 1
    fitted = found[found["check"] == "as fitted"]
    return [
        f"{labels.get(str(outcome), str(outcome))}{f' (model {model})' if several else ''}: "
        + " ".join(_of_outcome(part))
        for (model, outcome), part in found.groupby(["model", "outcome"], sort=False)
        if ((fitted["model"] == model) & (fitted["outcome"] == outcome)).any()
    ]


def _of_outcome(rows: pd.DataFrame) -> Iterator[str]:
    checks = {str(name): part for name, part in rows.groupby("check", sort=False)}
    effect = checks["as fitted"].iloc[0]
    if pd.isna(effect["estimate"]):
        yield f"no estimate. {effect['note']}."
        return
    digits = decimals_of(float(effect["conf_high"] - effect["conf_low"]))
    bounds = interval(effect["conf_low"], effect["conf_high"], digits)
    yield f"the effect is {number(effect['estimate'], digits)} ({bounds})."
    yield from _breaking(checks)
    yield from _power(checks, digits)
    yield from _placebos(checks, digits)
    yield from _left_out(rows, digits)


def _breaking(checks: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    if "breakdown" not in checks:
        lacking = checks.get("relative magnitudes")
        if lacking is not None:
            yield f"Bounds on trends are not computed: {lacking['note'].iloc[0]}."
        return
    for row in checks["breakdown"].itertuples():
        relative = row.term == "relative magnitudes"
        if pd.isna(row.estimate):
            far = str(row.note).removeprefix("zero is outside up to ")
            how = (
                f"by {far} times the largest yearly difference before it" if relative
                else f"by a line that bends by {far} a year"
            )  # fmt: skip
            yield f"Zero is outside the interval even where trends differ {how}."
        elif row.estimate == 0:
            yield (
                "Zero is inside the interval even where trends are parallel." if relative
                else "Zero is inside the interval even where trends differ by a straight line."
            )  # fmt: skip
        else:
            value = significant(row.estimate, 2)
            yield (
                "Zero enters the interval once trends in a year of the programme may differ by "
                f"{value} times the largest yearly difference before it." if relative
                else "If the difference in trend before would have gone on as a straight line, "
                f"zero enters once its slope may change by {value} from one year to the next."
            )  # fmt: skip


def _power(checks: Mapping[str, pd.DataFrame], digits: int) -> Iterator[str]:
    if "bias of a drift" not in checks:
        return
    of_slope = checks["pre-trend power"]
    seen = of_slope[(of_slope["term"] == "slope") & (of_slope["setting"].astype(float) == 0.8)]
    drift = checks["bias of a drift"]
    bias = drift[(drift["term"] == "slope") & (drift["setting"].astype(float) == 0.8)]
    if len(seen) and len(bias):
        yield (
            "The test of trends before the programme has 80% power for a drift of "
            f"{number(seen['estimate'].iloc[0], digits)} a year, which would add "
            f"{number(bias['estimate'].iloc[0], digits)} to the effect."
        )


def _placebos(checks: Mapping[str, pd.DataFrame], digits: int) -> Iterator[str]:
    years = checks.get("placebo year")
    if years is not None and years["estimate"].notna().any():
        known = years[years["estimate"].notna()]
        effects = listed([number(value, digits) for value in known["estimate"]])
        begun = listed([str(int(float(k))) for k in known["setting"]])
        years_early = "year" if begun == "1" else "years"
        apart = int((known["p_value"] < 0.05).sum())
        yield (
            f"Had the programme begun {begun} {years_early} earlier, its effect before it began "
            f"would be {effects} (p below 0.05: {apart} of {len(known)})."
        )
    cohorts = checks.get("placebo cohort")
    if cohorts is not None and pd.notna(cohorts["estimate"].iloc[0]):
        one = cohorts.iloc[0]
        yield (
            f"95% of placebo cohorts have effects between {number(one['conf_low'], digits)} and "
            f"{number(one['conf_high'], digits)} (p {_p(one['p_value'])})."
        )


def _left_out(rows: pd.DataFrame, digits: int) -> Iterator[str]:
    parts = rows[rows["check"].str.startswith(LEFT_OUT) & rows["estimate"].notna()]
    if parts.empty:
        return
    lows, highs = parts.loc[parts["estimate"].idxmin()], parts.loc[parts["estimate"].idxmax()]
    yield (
        "With one part of the data left out at a time the effect is between "
        f"{_part(lows, digits)} and {_part(highs, digits)}."
    )


def _part(row: pd.Series, digits: int) -> str:
    what = str(row["check"]).removeprefix(LEFT_OUT)
    return f"{number(row['estimate'], digits)} (without {what} {row['setting']})"


def _p(value: float) -> str:
    text = p_text(value)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"
