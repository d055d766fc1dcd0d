"""Which panels are simulated."""

from __future__ import annotations

from itertools import product

from benchmarks.panel_trials import (
    DESIGNS,
    Design,
    Effects,
    Errors,
    Method,
    Scenario,
    Setting,
    Spread,
)

NOT_YET = (
    Design(128, (4, 3), "not_yet_treated"),
    Design(20, (10, 10), "not_yet_treated"),
    Design(4, (10, 10), "not_yet_treated"),
    Design(0, (10, 10, 20), "not_yet_treated"),
    Design(0, (4, 3, 128), "not_yet_treated"),
)
SINGLETON = (Design(219, (8, 1)), Design(128, (4, 1)))
SPREADS: tuple[Spread, ...] = ("equal", "double", "half", "small schools")

ERRORS: tuple[Errors, ...] = ("normal", "t5")
WITH_EFFECTS: tuple[Effects, ...] = ("homogeneous", "heterogeneous")
GROUPED: tuple[Setting, ...] = ("strata", "stratified", "districts ignored")

NOISE = tuple(
    Scenario(design, errors, spread, correlation)
    for design, errors, spread, correlation in product(DESIGNS, ERRORS, SPREADS, (0.0, 0.5, 0.9))
)
"""Without effects: every design, error, variance of treated schools and correlation of years."""

EFFECTS = tuple(
    Scenario(design, spread=spread, effects=effects)
    for design, effects, spread in product(DESIGNS, WITH_EFFECTS, SPREADS[:2])
)

OTHERS = (
    *(Scenario(one, spread=spread) for one in (*NOT_YET, *SINGLETON) for spread in SPREADS[:3]),
    *(
        Scenario(design, setting=setting)
        for setting in GROUPED
        for design in (DESIGNS[0], DESIGNS[3], DESIGNS[4])
    ),
)
"""Many at once like the others: no school never treated, cohorts of one, regions, districts."""

CHECKED = tuple(Scenario(design, spread=spread) for design in DESIGNS for spread in SPREADS)
"""Those that are permuted too, panel by panel."""

ADJUSTED: tuple[Method, ...] = ("regression", "doubly_robust", "inverse_probability")
REGRESSIONS: tuple[Method, ...] = ("sun_abraham", "imputation", "stacked")
SEVERAL = (DESIGNS[0], DESIGNS[1], DESIGNS[3], DESIGNS[4])

ONE_BY_ONE = (
    *(Scenario(design, setting="missing") for design in DESIGNS[:5]),
    Scenario(DESIGNS[3], spread="double", setting="missing"),
    *(
        Scenario(design, setting="covariate", method=method)
        for design in SEVERAL
        for method in ADJUSTED
    ),
    *(
        Scenario(DESIGNS[3], spread="double", setting="covariate", method=method)
        for method in ADJUSTED[:1]
    ),
    *(Scenario(design, setting="districts") for design in SEVERAL),
    *(Scenario(design, method=method) for design in SEVERAL[2:] for method in REGRESSIONS),
)
"""Those that the library analyses panel by panel."""
