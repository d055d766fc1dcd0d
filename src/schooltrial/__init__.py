"""Evaluate programmes in schools: open a study, fit models, compare them, plan a trial.

``import schooltrial as st`` gives the names below. Each is imported from its module when it is
first asked for, so that the import itself is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schooltrial._lazy import lazy_names

if TYPE_CHECKING:
    # isort: off
    from schooltrial.analysis.formulas.fits import (
        fit_cluster_robust as fit_cluster_robust,
        fit_complier_effect as fit_complier_effect,
        fit_multilevel as fit_multilevel,
        fit_randomisation_inference as fit_randomisation_inference,
        fit_wild_bootstrap as fit_wild_bootstrap,
    )
    from schooltrial.analysis.formulas.panel_fits import (
        fit_cross_sections as fit_cross_sections,
        fit_difference_in_differences as fit_difference_in_differences,
        fit_staggered_adoption as fit_staggered_adoption,
    )
    from schooltrial.models.assignment.design import (
        complete_design as complete_design,
        fixed_design as fixed_design,
        paired_design as paired_design,
        rerandomised as rerandomised,
    )
    from schooltrial.models.assignment.draws import draw_assignments as draw_assignments
    from schooltrial.models.assignment.rerandomisation import (
        mahalanobis_at_most as mahalanobis_at_most,
        means_differ_by_at_most as means_differ_by_at_most,
    )
    from schooltrial.models.cluster_robust.multiway import (
        fit_clusterings as fit_clusterings,
        fit_two_way as fit_two_way,
    )
    from schooltrial.models.cluster_robust.working_covariance import (
        fit_known_variances as fit_known_variances,
        fit_random_intercept as fit_random_intercept,
    )
    from schooltrial.models.complier_effect.specification_tests import (
        run_specification_tests as run_specification_tests,
    )
    from schooltrial.models.design_based.difference_in_means import (
        fit_difference_in_means as fit_difference_in_means,
    )
    from schooltrial.models.design_based.horvitz_thompson import (
        fit_horvitz_thompson as fit_horvitz_thompson,
    )
    from schooltrial.models.design_based.lin_regression import fit_lin as fit_lin
    from schooltrial.models.effect_size.cluster_level import (
        cluster_effect_size as cluster_effect_size,
        eef_effect_size as eef_effect_size,
    )
    from schooltrial.models.effect_size.months_of_progress import (
        convert_to_months as convert_to_months,
    )
    from schooltrial.models.effect_size.pupil_level import (
        EffectSize as EffectSize,
        cox_index as cox_index,
        glass_delta as glass_delta,
        hedges_g as hedges_g,
        improvement_index as improvement_index,
    )
    from schooltrial.models.inference.estimate import Estimate as Estimate
    from schooltrial.models.inference.multiple_testing import (
        adjust_p_values as adjust_p_values,
        step_down_max_t as step_down_max_t,
        step_down_min_p as step_down_min_p,
    )
    from schooltrial.models.inference.result import Result as Result
    from schooltrial.models.missing_outcomes.horowitz_manski_bounds import (
        bound_by_horowitz_manski as bound_by_horowitz_manski,
    )
    from schooltrial.models.missing_outcomes.lee_bounds import bound_by_lee as bound_by_lee
    from schooltrial.models.moments.from_parquet import moments_from_parquet as moments_from_parquet
    from schooltrial.models.multilevel.random_slope import (
        random_pupil_slope as random_pupil_slope,
        random_treatment as random_treatment,
    )
    from schooltrial.models.parallel_trends.event_coefficients import (
        EventCoefficients as EventCoefficients,
    )
    from schooltrial.models.parallel_trends.pretrend_power import PretrendTest as PretrendTest
    from schooltrial.models.parallel_trends.relative_magnitudes import (
        relative_magnitudes_breakdown as relative_magnitudes_breakdown,
        relative_magnitudes_interval as relative_magnitudes_interval,
    )
    from schooltrial.models.parallel_trends.smoothness import (
        smoothness_breakdown as smoothness_breakdown,
        smoothness_interval as smoothness_interval,
    )
    from schooltrial.models.power.allocation import planned_allocation as planned_allocation
    from schooltrial.models.power.closed_form import (
        pupils_within_sites as pupils_within_sites,
        school_randomised as school_randomised,
    )
    from schooltrial.models.power.minimum_detectable_effect import (
        find_minimum_detectable_effect as find_minimum_detectable_effect,
        power_of_test as power_of_test,
    )
    from schooltrial.models.power.panel import panel_precision as panel_precision
    from schooltrial.models.power.sign_and_magnitude import (
        sign_magnitude_errors as sign_magnitude_errors,
    )
    from schooltrial.models.power.simulation import (
        PlannedTrial as PlannedTrial,
        simulate_power as simulate_power,
    )
    from schooltrial.models.power.staggered import staggered_precision as staggered_precision
    from schooltrial.protocol.reading import read_protocol as read_protocol
    from schooltrial.study.opened.comparison import compare as compare
    from schooltrial.study.opened.opening import open_study as open_study
    # isort: on

__version__ = "0.1.0"

EXPORTS = {
    "open_study": "study.opened.opening",
    "compare": "study.opened.comparison",
    "fit_multilevel": "analysis.formulas.fits",
    "fit_cluster_robust": "analysis.formulas.fits",
    "fit_complier_effect": "analysis.formulas.fits",
    "fit_randomisation_inference": "analysis.formulas.fits",
    "fit_wild_bootstrap": "analysis.formulas.fits",
    "fit_difference_in_differences": "analysis.formulas.panel_fits",
    "fit_staggered_adoption": "analysis.formulas.panel_fits",
    "fit_cross_sections": "analysis.formulas.panel_fits",
    "Estimate": "models.inference.estimate",
    "Result": "models.inference.result",
    "adjust_p_values": "models.inference.multiple_testing",
    "step_down_max_t": "models.inference.multiple_testing",
    "step_down_min_p": "models.inference.multiple_testing",
    "fit_difference_in_means": "models.design_based.difference_in_means",
    "fit_horvitz_thompson": "models.design_based.horvitz_thompson",
    "fit_lin": "models.design_based.lin_regression",
    "fit_clusterings": "models.cluster_robust.multiway",
    "fit_two_way": "models.cluster_robust.multiway",
    "fit_known_variances": "models.cluster_robust.working_covariance",
    "fit_random_intercept": "models.cluster_robust.working_covariance",
    "random_treatment": "models.multilevel.random_slope",
    "random_pupil_slope": "models.multilevel.random_slope",
    "moments_from_parquet": "models.moments.from_parquet",
    "run_specification_tests": "models.complier_effect.specification_tests",
    "bound_by_lee": "models.missing_outcomes.lee_bounds",
    "bound_by_horowitz_manski": "models.missing_outcomes.horowitz_manski_bounds",
    "EffectSize": "models.effect_size.pupil_level",
    "hedges_g": "models.effect_size.pupil_level",
    "glass_delta": "models.effect_size.pupil_level",
    "cox_index": "models.effect_size.pupil_level",
    "improvement_index": "models.effect_size.pupil_level",
    "cluster_effect_size": "models.effect_size.cluster_level",
    "eef_effect_size": "models.effect_size.cluster_level",
    "convert_to_months": "models.effect_size.months_of_progress",
    "EventCoefficients": "models.parallel_trends.event_coefficients",
    "PretrendTest": "models.parallel_trends.pretrend_power",
    "relative_magnitudes_interval": "models.parallel_trends.relative_magnitudes",
    "relative_magnitudes_breakdown": "models.parallel_trends.relative_magnitudes",
    "smoothness_interval": "models.parallel_trends.smoothness",
    "smoothness_breakdown": "models.parallel_trends.smoothness",
    "planned_allocation": "models.power.allocation",
    "school_randomised": "models.power.closed_form",
    "pupils_within_sites": "models.power.closed_form",
    "power_of_test": "models.power.minimum_detectable_effect",
    "find_minimum_detectable_effect": "models.power.minimum_detectable_effect",
    "panel_precision": "models.power.panel",
    "staggered_precision": "models.power.staggered",
    "sign_magnitude_errors": "models.power.sign_and_magnitude",
    "PlannedTrial": "models.power.simulation",
    "simulate_power": "models.power.simulation",
    "complete_design": "models.assignment.design",
    "fixed_design": "models.assignment.design",
    "paired_design": "models.assignment.design",
    "rerandomised": "models.assignment.design",
    "draw_assignments": "models.assignment.draws",
    "mahalanobis_at_most": "models.assignment.rerandomisation",
    "means_differ_by_at_most": "models.assignment.rerandomisation",
    "read_protocol": "protocol.reading",
}
"""Name → module that defines it, as far as it stands below the library."""

__all__ = list(EXPORTS)

__getattr__, __dir__ = lazy_names(__name__, EXPORTS, globals())
