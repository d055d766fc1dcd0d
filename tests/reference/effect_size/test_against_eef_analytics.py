"""Effect sizes against R's eefAnalytics.

Where we follow the package: the formulas of Hedges (2007) for schools of unequal size. Where we do
not: it prints 1.96 intervals, leaves out the small-sample factor, and takes the intra-school
correlation of the conditional model; `eef_effect_size` uses the model's own interval and ω.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from reference.gold import dataset, entry, names
from schooltrial.models.effect_size.cluster_level import (
    ArmSizes,
    eef_effect_size,
    total_sd_effect_size,
    within_sd_effect_size,
)
from schooltrial.models.effect_size.pupil_level import hedges_g_variance, small_sample_correction
from schooltrial.models.inference.estimate import t_estimate

if TYPE_CHECKING:
    from reference.conftest import Agreement


def _bounds(size: float, variance: float) -> dict[str, float]:
    half = 1.96 * sqrt(variance)
    return {"g": size, "lb": size - half, "ub": size + half}


@pytest.mark.parametrize("name", names("eef.crt"))
@pytest.mark.parametrize("kind", ["conditional", "unconditional"])
def test_school_trial_effect_sizes_equal_crtfreq_given_its_variances(
    name: str, kind: str, agreement: Agreement
) -> None:
    theirs = entry(name)["values"]["full_precision"]
    sizes = dataset("syn2_blocked").groupby(["z", "school"]).size()
    treated, control = ArmSizes.of(sizes.loc[1]), ArmSizes.of(sizes.loc[0])
    effect = theirs["Beta"]["z1"]["estimate"]
    parts = theirs[f"covparm_{kind}"]
    ours = {
        "Total": total_sd_effect_size(effect, parts["Total"], parts["ICC"], treated, control),
        "Within": within_sd_effect_size(effect, parts["Pupils"], parts["ICC"], treated, control),
    }
    for over, found in ours.items():
        expected: dict[str, Any] = theirs[f"ES_{kind}"]["z1"][over]
        for part, value in _bounds(*found).items():
            agreement(name, f"{kind} {over} {part}", value, expected[part], rel=1e-4)


def test_our_eef_effect_size_is_theirs_without_the_factor_for_raw_variances() -> None:
    theirs = entry("eef.crt.syn2")["values"]["full_precision"]
    parts, effect = theirs["covparm_unconditional"], theirs["Beta"]["z1"]["estimate"]
    row = t_estimate("z", effect, 1.03, 37.0, n_individuals=1088, n_schools=40, method="REML")
    found = eef_effect_size(row, parts["Schools"], parts["Pupils"])
    expected = small_sample_correction(1088) * effect / sqrt(parts["Total"])
    assert found.effect_size == pytest.approx(expected, rel=1e-12)
    # Theirs is 0.7% smaller: √{1 − ρ(N − 2 − B)/(N − 2)} corrects a raw variance, not components.
    assert theirs["ES_unconditional"]["z1"]["Total"]["g"] / found.effect_size == pytest.approx(
        0.9934, abs=5e-4
    )


def test_pupil_trial_effect_sizes_equal_srtfreq(agreement: Agreement) -> None:
    name = "eef.srt.pupil_blocked"
    theirs = entry(name)["values"]["full_precision"]
    data = dataset("syn_pupil_blocked")
    y = data["y"].to_numpy()
    z = data["z"].to_numpy(dtype=float)
    one = np.ones(len(y))
    n_treated, n_control = z.sum(), (1 - z).sum()
    designs = {
        "Conditional": np.column_stack([one, z, data["x"]]),
        "Unconditional": np.column_stack([one, z]),
    }
    effect = float(np.linalg.lstsq(designs["Conditional"], y, rcond=None)[0][1])
    agreement(name, "Beta z1", effect, theirs["Beta"]["z1"]["estimate"], rel=1e-8)
    for kind in designs:
        sigma2 = theirs["sigma2"][kind]
        size = small_sample_correction(len(y)) * effect / sqrt(sigma2)
        expected = theirs["ES"][kind]["z1"]
        agreement(name, f"{kind} g", size, expected["estimate"], rel=1e-8)
        # Their variance is ω² times that of the uncorrected d.
        omega = small_sample_correction(len(y))
        half = 1.96 * omega * sqrt(hedges_g_variance(size / omega, n_treated, n_control))
        agreement(name, f"{kind} lb", size - half, expected["lb"], rel=1e-8)
        agreement(name, f"{kind} ub", size + half, expected["ub"], rel=1e-8)
