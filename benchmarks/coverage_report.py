"""The generated tables of COVERAGE.md, put between its markers."""

from __future__ import annotations

import pandas as pd
from benchmarks.coverage_methods import METHODS
from benchmarks.coverage_truncation import bounded_test

RATES, LENGTHS, CONDITIONS = "error rates", "interval lengths", "conditions"
TRUNCATION = "bounded variance"
SHOWN = ("reml-kr", "reml-satterthwaite", "cr2-satterthwaite", "wild", "randomisation")


def put_between(text: str, name: str, content: str) -> str:
    """Return the text with what stands between the markers of ``name`` replaced.

    Raises
    ------
    ValueError
        When the text lacks the markers.
    """
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise ValueError(f"the page lacks {begin} or {end}: put both where the table belongs")
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end, 1)[1]}"


def _share(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def rates_table(table: pd.DataFrame) -> str:
    """Return type I error and coverage, each with its Monte Carlo interval."""
    lines = [
        "| schools | ICC | method | type I error | coverage of 95% interval | SE / SD "
        "| median df |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        error, coverage = row["type_1_error"], row["coverage"]
        fine = all(0.04 <= value <= 0.06 for value in (error, 1 - coverage))
        df = row["median_df"]
        spread = [_share(row[name]) for name in ("type_1_low", "type_1_high")]
        around = [_share(row[name]) for name in ("coverage_low", "coverage_high")]
        label = METHODS[row["method"]]
        lines.append(
            _line(
                [
                    str(row["schools"]),
                    f"{row['icc']:g}",
                    label if fine else f"**{label}**",
                    f"{_share(error)} ({spread[0]} to {spread[1]})",
                    f"{_share(coverage)} ({around[0]} to {around[1]})",
                    "" if pd.isna(df) else f"{row['se_over_sd']:.2f}",
                    "" if pd.isna(df) else ("∞" if df == float("inf") else f"{df:.1f}"),
                ]
            )
        )
    return "\n".join(lines)


def lengths_table(table: pd.DataFrame) -> str:
    """Return mean interval lengths by method, a column for each cell, and how REML ended."""
    cells = table[["schools", "icc", "trials", "singular", "not_converged"]].drop_duplicates()
    heads = [f"{row.schools}, {row.icc:g}" for row in cells.itertuples()]
    lines = [_line(["schools, ICC", *heads]), "|---" * (len(heads) + 1) + "|"]
    for method, label in METHODS.items():
        rows = table[table["method"] == method].set_index(["schools", "icc"])
        values = []
        for cell in cells.itertuples():
            key = (cell.schools, cell.icc)
            if key not in rows.index:
                values.append("")
                continue
            unbounded = float(rows.loc[key, "unbounded"])
            length = f"{rows.loc[key, 'mean_length']:.3f}"
            values.append(f"{length} ({_share(unbounded)} unbounded)" if unbounded else length)
        lines.append(_line([label, *values]))
    lines.append(_line(["*REML fits with σ²_u = 0*", *map(_share, cells["singular"])]))
    fits = 2 * cells["trials"]
    stuck = [
        f"{round(share * n)} of {n:,}"
        for share, n in zip(cells["not_converged"], fits, strict=True)
    ]
    lines.append(_line(["*REML fits not converged*", *stuck]))
    return "\n".join(lines)


def conditions_table(conditions: pd.DataFrame) -> str:
    """Return error rates among the trials of each kind, where there are a hundred of them."""
    lines = [
        _line(["schools", "ICC", "trials that …", "share", *(METHODS[m] for m in SHOWN)]),
        "|---" * (len(SHOWN) + 4) + "|",
    ]
    keys = ["schools", "icc", "condition"]
    for key, rows in conditions[conditions["method"].isin(SHOWN)].groupby(keys, sort=False):
        schools, icc, kind = key
        if kind == "all":
            total = int(rows["trials"].iloc[0])
            continue
        trials = int(rows["trials"].iloc[0])
        by_method = rows.set_index("method")
        rates = [
            f"{_share(by_method.loc[method, 'error'])} ({_share(by_method.loc[method, 'low'])} to "
            f"{_share(by_method.loc[method, 'high'])})"
            for method in SHOWN
        ]
        if trials >= 100 and trials / total < 0.995:
            lines.append(_line([str(schools), f"{icc:g}", kind, _share(trials / total, 2), *rates]))
    return "\n".join(lines)


def truncation_table(conditions: pd.DataFrame) -> str:
    """Return what the bound at zero should do with equal schools, beside what was simulated."""
    zero, above = "school variance at zero", "school variance above zero"
    lines = [
        "| schools | ICC | fits at zero: computed | simulated | error: computed "
        "| Kenward-Roger, simulated | of fits at zero: computed | simulated "
        "| of fits above: computed | simulated |",
        "|---" * 10 + "|",
    ]
    own = conditions[conditions["method"] == "reml-kr"]
    for (schools, icc), rows in own.groupby(["schools", "icc"], sort=False):
        computed = bounded_test(schools, icc)
        of = rows.set_index("condition")
        trials = of["trials"]
        pairs = [(_share(computed.at_bound), _share(trials[zero] / trials["all"]))]
        for value, kind in (
            (computed.error, "all"),
            (computed.error_at_bound, zero),
            (computed.error_above, above),
        ):
            few = trials[kind] < 100
            pairs.append(("", "") if few else (_share(value), _share(float(of.loc[kind, "error"]))))
        lines.append(_line([str(schools), f"{icc:g}", *(cell for pair in pairs for cell in pair)]))
    return "\n".join(lines)
