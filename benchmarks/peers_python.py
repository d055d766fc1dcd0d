"""Answers timed calls of Python packages, one line in (task, tab, folder), one line out.

It may run under an interpreter of its own (``PEERS_PYTHON``), so it imports nothing of the project.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import io
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

PACKAGES = ("statsmodels", "pyfixest", "wildboottest", "numba", "diff-diff", "csdid")
Found = dict[str, Any]


class Data(NamedTuple):
    """A trial in memory."""

    frame: pd.DataFrame
    terms: list[str]

    @property
    def formula(self) -> str:
        """The regression of the first outcome."""
        return "y1 ~ " + " + ".join(self.terms)


@functools.cache
def trial(folder: str) -> Data:
    n, *names = Path(folder, "columns.txt").read_text().split()
    values = np.fromfile(Path(folder, "data.bin")).reshape(len(names), int(n))
    frame = pd.DataFrame(dict(zip(names, values, strict=True)))
    for name in {"school", "district", "block", "year", "cohort"} & set(names):
        frame[name] = frame[name].astype(np.int64)
    return Data(frame, Path(folder, "terms.txt").read_text().split())


def _exog(data: Data) -> pd.DataFrame:
    exog = data.frame[data.terms].copy()
    exog.insert(0, "(Intercept)", 1.0)
    return exog


def _found(terms: Iterable[str], estimate: Any, std_error: Any = (), p_value: Any = ()) -> Found:
    return {
        "terms": list(terms),
        "estimate": np.atleast_1d(estimate).tolist(),
        "std_error": np.atleast_1d(std_error).tolist(),
        "df": [],
        "p_value": np.atleast_1d(p_value).tolist(),
    }


def statsmodels_two_levels(data: Data) -> Found:
    api = importlib.import_module("statsmodels.api")
    exog = _exog(data)
    fit = api.MixedLM(data.frame["y1"], exog, groups=data.frame["school"]).fit(reml=True)
    return _found(exog.columns, fit.fe_params, fit.bse_fe)


def wildboottest(data: Data) -> Found:
    api = importlib.import_module("statsmodels.api")
    package = importlib.import_module("wildboottest.wildboottest")
    model = api.OLS(data.frame["y1"], _exog(data))
    table = package.wildboottest(
        model, param="treat", cluster=data.frame["school"], B=9_999, seed=1, show=False
    )
    estimate = float(model.fit().params["treat"])
    t = float(np.squeeze(table["statistic"].iloc[0]))
    return _found(["treat"], estimate, estimate / t, float(np.squeeze(table["p-value"].iloc[0])))


def _feols(data: Data, formula: str) -> Any:
    package = importlib.import_module("pyfixest")
    return package.feols(formula, data=data.frame, vcov={"CRV1": "school"})


def pyfixest_wild(data: Data) -> Found:
    fit = _feols(data, data.formula)
    test = fit.wildboottest(param="treat", cluster="school", reps=9_999, seed=1)
    estimate = float(fit.coef()["treat"])
    return _found(["treat"], estimate, estimate / float(test["t value"]), float(test["Pr(>|t|)"]))


def _ritest(data: Data, kind: str, draws: int) -> Found:
    fit = _feols(data, data.formula)
    began = time.perf_counter()
    fit.ritest(
        "treat", cluster="school", reps=draws, type=f"randomization-{kind}",
        rng=np.random.default_rng(1),
    )  # fmt: skip
    seconds = time.perf_counter() - began
    found = _found(["treat"], float(fit.coef()["treat"]), float(fit.se()["treat"]))
    return found | {"seconds": seconds}


def pyfixest_randomisation_t(data: Data) -> Found:
    return _ritest(data, "t", 5)


def pyfixest_randomisation_c(data: Data) -> Found:
    return _ritest(data, "c", 200)


def pyfixest_romano_wolf(data: Data) -> Found:
    package = importlib.import_module("pyfixest")
    outcomes = [f"y{k}" for k in range(1, 11)]
    fits = [_feols(data, data.formula.replace("y1", y, 1)) for y in outcomes]
    table = package.rwolf(fits, "treat", reps=1_000, seed=1)
    estimate = [float(fit.coef()["treat"]) for fit in fits]
    std_error = [float(fit.se()["treat"]) for fit in fits]
    adjusted = table.loc["RW Pr(>|t|)"].to_numpy(dtype=float)
    return _found(outcomes, estimate, std_error, adjusted)


def _since(time: float) -> str:
    return f"treated[since={int(time)}]"


def _cohort(first: float) -> str:
    return f"treated[cohort={int(first)}]"


def _diff_diff(data: Data, draws: int) -> Found:
    package = importlib.import_module("diff_diff")
    fit = package.CallawaySantAnna(
        control_group="never_treated", estimation_method="reg", base_period="varying",
        n_bootstrap=draws, seed=1,
    ).fit(
        data.frame, outcome="y1", unit="school", time="year", first_treat="cohort",
        aggregate="all",
    )  # fmt: skip
    since = {_since(e): row["effect"] for e, row in fit.event_study_effects.items()}
    cohorts = {_cohort(g): row["effect"] for g, row in fit.group_effects.items()}
    found = {"treated": fit.overall_att} | since | cohorts
    return _found(found, [float(value) for value in found.values()])


def diff_diff(data: Data) -> Found:
    return _diff_diff(data, 1_000)


def diff_diff_pointwise(data: Data) -> Found:
    return _diff_diff(data, 0)


def csdid(data: Data) -> Found:
    package = importlib.import_module("csdid.att_gt")
    with contextlib.redirect_stdout(io.StringIO()):
        fit = package.ATTgt(
            yname="outcome", tname="year", idname="school", gname="cohort",
            data=data.frame.rename(columns={"y1": "outcome"}), control_group="nevertreated",
            biters=1_000, cband=True,
        ).fit(est_method="reg", base_period="varying", bstrap=True)  # fmt: skip
        simple, since, cohorts = (
            fit.aggte(kind, bstrap=True, cband=True).atte for kind in ("simple", "dynamic", "group")
        )
    found = {"treated": simple["overall_att"]}
    found |= dict(zip(map(_since, since["egt"]), since["att_egt"], strict=True))
    found |= dict(zip(map(_cohort, cohorts["egt"]), cohorts["att_egt"], strict=True))
    return _found(found, [float(np.squeeze(value)) for value in found.values()])


def pyfixest_two_way(data: Data) -> Found:
    package = importlib.import_module("pyfixest")
    fit = package.feols("y1 ~ treat | school + year", data=data.frame, vcov={"CRV1": "school"})
    return _found(["treat"], float(fit.coef()["treat"]))


TASKS: dict[str, Callable[[Data], Found]] = {
    task.__name__: task
    for task in (
        statsmodels_two_levels,
        wildboottest,
        pyfixest_wild,
        pyfixest_randomisation_t,
        pyfixest_randomisation_c,
        pyfixest_romano_wolf,
        diff_diff,
        diff_diff_pointwise,
        csdid,
        pyfixest_two_way,
    )
}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _timed(task: str, folder: str) -> Found:
    data = trial(folder)
    began = time.perf_counter()
    found = TASKS[task](data)
    return {"seconds": time.perf_counter() - began} | found


def _reply(found: Found) -> None:
    print("\n@@" + json.dumps(found), flush=True)


def main() -> None:
    warnings.simplefilter("ignore")
    _reply({"versions": {name: _version(name) for name in PACKAGES}})
    for line in sys.stdin:
        try:
            _reply(_timed(*line.rstrip("\n").split("\t")))
        except Exception as error:
            _reply({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
