"""How far trends may have differed before an effect is lost, and what the pre-trend test sees."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, nan, sqrt

from schooltrial.analysis.parallel_trends.event_studies import EventStudy, event_study
from schooltrial.analysis.parallel_trends.refits import CheckedModel, reasons
from schooltrial.models.parallel_trends.event_coefficients import EventCoefficients
from schooltrial.models.parallel_trends.pretrend_power import PretrendTest
from schooltrial.models.parallel_trends.relative_magnitudes import (
    relative_magnitudes_breakdown,
    relative_magnitudes_interval,
)
from schooltrial.models.parallel_trends.robust_interval import RobustInterval
from schooltrial.models.parallel_trends.smoothness import (
    smoothness_breakdown,
    smoothness_interval,
)

MOST_MBAR = 10.0
"""The largest Mbar that is tried for the breakdown value."""

MOST_ERRORS = 100.0
"""The largest M that is tried, in standard errors of the average drift a year."""

MULTIPLES = (0.0, 0.5, 1.0, 2.0)
"""M by default, in standard errors of the average drift a year."""

POWERS = (0.5, 0.8)

ONE_CHANGE = (
    "one year before the reference: the bound is based on a single change, and a line through two "
    "years"
)

Row = dict[str, object]


def sensitivity_rows(checked: CheckedModel) -> Iterator[Row]:
    """Yield the robust intervals, the breakdown values and the power of the pre-trend test."""
    why: list[str] = []
    study: EventStudy | None = None
    with reasons(why):
        study = event_study(checked)
    if study is None:
        for check in ("relative magnitudes", "smoothness", "pre-trend power"):
            yield checked.row(check, "treated", note="; ".join(why))
        return
    level = checked.plan.model["confidence_level"]
    enlarged = study.coefficients.in_small_samples(study.each_df, level)
    note = "; ".join(
        filter(None, [study.note, ONE_CHANGE if study.coefficients.n_before == 1 else ""])
    )
    told = "standard errors × t/z, each with its df"

    def shown(check: str, found: RobustInterval) -> Row:
        return checked.row(
            check, "treated", found.setting, estimate=study.coefficients.estimate, df=study.df,
            conf_low=found.low, conf_high=found.high, method=f"{found.method}; {told}", note=note,
        )  # fmt: skip

    for mbar in checked.settings["relative_magnitudes"]:
        yield shown(
            "relative magnitudes", relative_magnitudes_interval(enlarged, mbar, level=level)
        )
    yield _breakdown(
        checked, "relative magnitudes",
        relative_magnitudes_breakdown(enlarged, level=level, most=MOST_MBAR), MOST_MBAR,
    )  # fmt: skip
    drift = _slope_error(study.coefficients)
    for m in checked.settings["smoothness"] or _multiples(drift):
        yield shown("smoothness", smoothness_interval(enlarged, m, level=level))
    most = MOST_ERRORS * drift
    yield _breakdown(checked, "smoothness", smoothness_breakdown(enlarged, most, level=level), most)
    yield from _power_rows(checked, study, level)


def _breakdown(checked: CheckedModel, bound: str, value: float, most: float) -> Row:
    if not isfinite(value):
        return checked.row("breakdown", bound, note=f"zero is outside up to {most:.3g}")
    note = "the smallest bound whose interval includes zero"
    if value == 0.0:
        note = "zero is inside even where trends are parallel (a line, for smoothness)"
    return checked.row("breakdown", bound, estimate=value, note=note)


def _multiples(drift: float) -> list[float]:
    return [float(f"{drift * one:.3g}") for one in MULTIPLES]


def _slope_error(coefficients: EventCoefficients) -> float:
    return sqrt(float(coefficients.covariance[0, 0])) / coefficients.n_before


def _power_rows(checked: CheckedModel, study: EventStudy, level: float) -> Iterator[Row]:
    """Yield the drift a year that each pre-trend test sees with a power, and what it would do."""
    coefficients = study.coefficients
    slope = PretrendTest.of_slope(coefficients, study.slope_df, level)
    tests = [("slope", slope, "t test of the average drift a year", study.slope_df)]
    if isfinite(study.joint_df):
        joint = PretrendTest.of_all_years(coefficients, study.joint_df, level)
        tests.append(("all years", joint, "F test of all years before", study.joint_df))
    for term, test, method, df in tests:
        for power in POWERS:
            why: list[str] = []
            numbers: tuple[float, float, float] | None = None
            with reasons(why):
                drift = test.slope_with_power(power)
                numbers = drift, test.bias(drift), test.bias_when_passed(drift)
            if numbers is None:
                yield checked.row(
                    "pre-trend power", term, power, df=df, method=method, note="; ".join(why)
                )
                continue
            yield checked.row(
                "pre-trend power", term, power, estimate=numbers[0], df=df, method=method,
                note="drift a year that the test sees with this power",
            )  # fmt: skip
            yield checked.row(
                "bias of a drift", term, power, estimate=numbers[1], df=df, method=method,
                note="what such a drift would add to the effect; "
                f"{numbers[2]:+.3g} on average where the test passes",
            )  # fmt: skip
    if not isfinite(study.joint_df):
        yield checked.row(
            "pre-trend power", "all years", df=nan,
            note="too few treated schools for a joint test of all years before",
        )  # fmt: skip
