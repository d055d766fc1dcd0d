"""A formula for a model of a protocol: its outcome, and covariates in place of the planned ones.

A name alone is the covariate of that name, coded as the protocol codes it. Functions, products and
``C(…)`` are computed by formulaic, and enter as columns of the sample. ``treated`` means the
treatment terms of the model; its other parts stay as planned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.parser.types import Factor, Term

from schooltrial.analysis.design_matrix import compared
from schooltrial.analysis.formulas.model_formula import (
    matrix_of,
    parse_formula,
    plain_name,
    refuse_infinite,
    term_variables,
)
from schooltrial.data.rows.covariates import with_missing_baselines
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.content.sections import Model, needed_variables

TREATED, INTERCEPT = "treated", "1"


@dataclass(frozen=True)
class CovariateFormula:
    """The covariates that a formula names.

    Attributes
    ----------
    text : str
        As it was written.
    outcome : str
    names : tuple of str
        Covariates that are a name alone.
    computed : tuple of formulaic.Term
        The other covariates.
    """

    text: str
    outcome: str
    names: tuple[str, ...]
    computed: tuple[Term, ...]

    @property
    def computed_from(self) -> list[str]:
        """The variables of the covariates that are computed."""
        return sorted({name for term in self.computed for name in term_variables(term)})

    @property
    def variables(self) -> list[str]:
        """All variables of the right side, each once."""
        return list(dict.fromkeys([*self.names, *self.computed_from]))

    def add_columns(
        self, sample: pd.DataFrame, model: Model
    ) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Return the sample with the columns of computed covariates, and the names of covariates.

        A function of all rows, such as ``scale``, is computed from the rows that the model
        analyses. Where a row lacks a variable, it lacks the columns made of it.

        Parameters
        ----------
        sample : DataFrame
            The analysed sample.
        model : Model
            As it is fitted to the outcome.

        Raises
        ------
        ValueError
            Where a covariate cannot be computed, or is not finite.
        """
        if not self.computed:
            return sample, self.names
        used = self.computed_from
        known = with_missing_baselines(sample, {**model, "missing_covariates": "drop"})
        complete = known[used].notna().all(axis=1)
        inside = matches(known, model["where"])
        inside &= known.index.isin(compared(known, model).index)
        needed = needed_variables({**model, "covariates": self.variables}, self.outcome)
        analysed = inside & complete & known[needed].notna().all(axis=1)
        rows = known.loc[analysed, used]
        if rows.empty:
            raise ValueError(
                f"no row of the model has a value of {', '.join(used)}; check `where` of the model "
                "and the columns that these are read from"
            )
        alone = [term for term in Formula(" + ".join([INTERCEPT, *map(_quoted, used)]))
                 if str(term) in (INTERCEPT, *self.names)]  # fmt: skip
        found = matrix_of(Formula([*alone, *self.computed]), self.text, _as_numbers(rows))
        spec = found.model_spec
        columns = {
            plain_name(str(found.columns[at])).replace(":", " × "): found.iloc[:, at]
            for term in self.computed
            for at in spec.term_indices[term]
        }
        refuse_infinite(pd.DataFrame(columns), "term")
        filled = {}
        for name, column in columns.items():
            # A row that is complete here and not analysed lacks something else: any value will do.
            values = np.where(complete, 0.0, np.nan)
            values[analysed.to_numpy()] = column.to_numpy("float64")
            filled[name] = values
        return sample.assign(**filled), (*self.names, *filled)


def parse_covariates(text: str) -> CovariateFormula:
    """Read ``outcome ~ treated + covariates`` of a model whose other parts are planned.

    Raises
    ------
    ValueError
        Where it cannot be read, and where it says what a formula does not change: the intercept,
        absorbed effects, an instrument, the terms of treatment.
    """
    model = parse_formula(text)
    if model.absorbed or model.endogenous:
        raise ValueError(
            f"the formula {text!r} has a part after a bar. Blocks, fixed effects and take-up stay "
            "as the model has them; change them by key, as in study.refit(…, blocks='none')"
        )
    left = list(Formula(f"0 + {model.outcome}"))
    if len(left) != 1 or not _is_name(left[0]):
        raise ValueError(
            f"{model.outcome!r} is no outcome of the study: name one on the left of ~, without a "
            "function or a sum"
        )
    terms = list(Formula(model.regressors))
    if INTERCEPT not in map(str, terms):
        raise ValueError(
            f"the formula {text!r} takes the intercept out, and models of a study have one; leave "
            "0 and -1 out"
        )
    covariates = [term for term in terms if str(term) not in (INTERCEPT, TREATED)]
    if TREATED not in map(str, terms):
        raise ValueError(
            f"the formula {text!r} has no {TREATED!r}, which means the treatment terms of the "
            f"model; write '{model.outcome} ~ {' + '.join([TREATED, *map(str, covariates)])}'"
        )
    for term in covariates:
        named = term_variables(term)
        if TREATED in named:
            by = next(iter(sorted(named - {TREATED})), "sex")
            raise ValueError(
                f"the formula {text!r} has {str(term)!r}, and {TREATED!r} must be alone in it. To "
                f"split the effect name the variable by key, as in study.refit(…, moderator={by!r})"
            )
    return CovariateFormula(
        text,
        str(left[0]),
        tuple(str(term) for term in covariates if _is_name(term)),
        tuple(term for term in covariates if not _is_name(term)),
    )


def _is_name(term: Term) -> bool:
    factors = list(term.factors)
    return len(factors) == 1 and factors[0].eval_method is Factor.EvalMethod.LOOKUP


def _quoted(name: str) -> str:
    return f"`{name}`"


def _as_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return complete rows with numbers and flags as numpy has them."""
    plain = {
        name: "float64" if pd.api.types.is_bool_dtype(rows[name]) else rows[name].dtype.numpy_dtype
        for name in rows
        if pd.api.types.is_bool_dtype(rows[name])
        or (pd.api.types.is_extension_array_dtype(rows[name].dtype)
            and pd.api.types.is_numeric_dtype(rows[name]))
    }  # fmt: skip
    return rows.astype(plain)
