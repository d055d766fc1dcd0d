r"""The teachers of a lottery within schools: who applies, who is drawn, who takes it up, who stays.

Each applicant belongs to a principal stratum, by what they would do with an offer and without one:
compliers take the certificate up if and only if they win, always-takers in any case, never-takers
in none (Angrist, Imbens & Rubin 1996, JASA 91(434), 444-455). With :math:`D_i(z)` the take-up of
teacher i under offer z, an outcome of a year is

.. math:: Y_i(z) = Y_i + \delta_{s(i)} D_i(z),

so an offer acts through take-up only.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from schooltrial.random_streams import stream
from schooltrial.simulate.school_randomised.parameters import LEVEL_GRADES
from schooltrial.simulate.within_school_lottery.parameters import SURVEYED, LotteryParameters

Floats = NDArray[np.float64]


Flags = NDArray[np.bool_]


STRATA = ("never-taker", "complier", "always-taker")


NOT_IN_LOTTERY = ""


LONGEST_CAREER = 50.0
"""Years of experience that nobody exceeds on arrival; the log-normal has no end of its own."""


LARGEST = 9000
"""Teachers are numbered from 1000, with five digits: every id begins with a zero."""


def draw_lottery(applicants: pd.DataFrame, draw_seed: int) -> Flags:
    """Return which applicants are offered a place.

    Schools are taken by their code and teachers by their id; one generator,
    ``numpy.random.default_rng(draw_seed)``, permutes each school's applicants in turn, and the
    first of the permutation, as many as there are places, are offered one. So the recorded seed
    redraws the recorded list.

    Parameters
    ----------
    applicants : pandas.DataFrame
        One row per applicant: ``teacher_id``, ``school_code`` and the school's ``places``.
    draw_seed : int
        Seed of the draw.
    """
    rng = np.random.default_rng(draw_seed)
    rows = applicants.reset_index(drop=True).sort_values(["school_code", "teacher_id"])
    offered = np.zeros(len(rows), dtype=bool)
    for _, school in rows.groupby("school_code", sort=True):
        order = rng.permutation(school.index.to_numpy())
        offered[order[: int(school["places"].iloc[0])]] = True
    return offered


def draw_seed(seed: int) -> int:
    """Return the seed of the lottery, as its list records it."""
    return int(stream(seed, "lottery").integers(2**31))


def posts(parameters: LotteryParameters, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the classes: a row each, ``school`` (row of ``schools``) and ``grade``.

    A grade has as many classes, in all years, as its size fills, and one at least; so a school has
    three teachers or more.
    """
    per_grade = schools["size"].to_numpy() / 3 / parameters.class_size
    classes = np.maximum(1, np.rint(per_grade)).astype(int)
    cells = [
        (school, grade)
        for school, level in enumerate(schools["level"])
        for grade in np.repeat(LEVEL_GRADES[str(level)], classes[school])
    ]
    return pd.DataFrame(cells, columns=["school", "grade"])


def teaching_staff(
    parameters: LotteryParameters, schools: pd.DataFrame, places: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return who the teachers are, and their years.

    Parameters
    ----------
    parameters : LotteryParameters
        Sizes, rates and effects.
    schools : pandas.DataFrame
        One row per school, in order, with ``school_code``.
    places : pandas.DataFrame
        As ``posts`` returns it.
    seed : int
        Seed of the study; each step and year has its own streams.

    Returns
    -------
    teachers : pandas.DataFrame
        One row per teacher, by order of arrival: ``teacher_id``, ``school``, ``school_code``,
        ``grade``, ``post`` (row of ``places``), ``first_year``, ``experience`` (years, at the
        first), ``ability``, ``value_added`` (SD of teachers), ``applied``, ``stratum``, ``places``
        (of the school), ``offered``, ``took_up_not_offered``, ``took_up_offered``, ``took_up``.
    years : pandas.DataFrame
        One row per teacher and year since the first: ``teacher`` (row of ``teachers``), ``year``,
        ``in_post``; for ``knowledge``, ``practice`` (points) and ``stays`` (0/1; missing before)
        the potential ``<outcome>_not_offered`` and ``<outcome>_offered`` and the realised
        ``<outcome>``; and ``responds``.
    """
    teachers = _arrivals(parameters, places, np.arange(len(places)), parameters.years[0], seed)
    teachers = _identified(teachers, schools, 0, seed)
    teachers = _with_lottery(parameters, teachers, len(schools), seed)
    years = _retention(parameters, teachers, parameters.years, seed)
    frames, people = [years], [teachers]
    for year in (parameters.years_during + parameters.years_after)[1:]:
        last = pd.concat(frames)
        left = last[(last["year"] == year - 1) & last["in_post"] & (last["stays"] == 0)]
        everyone = pd.concat(people, ignore_index=True)
        vacant = everyone["post"].to_numpy()[left["teacher"].to_numpy()]
        new = _arrivals(parameters, places, np.sort(vacant), year, seed)
        new = _without_lottery(_identified(new, schools, len(everyone), seed))
        new.index = new.index + len(everyone)
        people.append(new)
        later = tuple(y for y in parameters.years if y >= year)
        frames.append(_retention(parameters, new, later, seed))
    teachers = pd.concat(people)
    years = pd.concat(frames, ignore_index=True)
    for outcome in SURVEYED:
        years = _surveyed(parameters, teachers, years, outcome, seed)
    years["responds"] = _responds(parameters, teachers, years, seed)
    return teachers, years


def _mix(first: Floats, link: float, second: Floats) -> Floats:
    """Return standard normals with the given correlation with the first."""
    return np.asarray(link * first + np.sqrt(1 - link**2) * second)


def _arrivals(
    parameters: LotteryParameters,
    places: pd.DataFrame,
    rows: NDArray[np.int64],
    year: int,
    seed: int,
) -> pd.DataFrame:
    """Return those who take the posts ``rows`` in a year, and what lasts of them."""
    normals = stream(seed, "teachers", year).standard_normal((len(rows), 5))
    ability = normals[:, 0]
    link = dict(parameters.ability_link)
    return pd.DataFrame({
        "school": places["school"].to_numpy()[rows],
        "grade": places["grade"].to_numpy()[rows],
        "post": rows,
        "first_year": year,
        "experience": np.minimum(
            np.round(np.exp(1.9 + 0.8 * normals[:, 4]) * 2) / 2, LONGEST_CAREER
        ),
        "ability": ability,
        **{
            name: _mix(ability, link[name], normals[:, column])
            for column, name in enumerate(("knowledge", "practice", "value_added"), start=1)
        },
    })  # fmt: skip


def _identified(
    teachers: pd.DataFrame, schools: pd.DataFrame, before: int, seed: int
) -> pd.DataFrame:
    """Return teachers with ids that do not show who came first."""
    if before + len(teachers) > LARGEST:
        raise ValueError(
            f"The trial has more than {LARGEST} teachers over the years, and numbers for no more; "
            "take fewer schools or a larger class_size."
        )
    numbers = 1000 + stream(seed, "teacher numbers").permutation(LARGEST)
    own = numbers[before : before + len(teachers)]
    return teachers.assign(
        teacher_id=[f"{number:05d}" for number in own],
        school_code=schools["school_code"].to_numpy(dtype=object)[teachers["school"]],
    )


def _with_lottery(
    parameters: LotteryParameters, teachers: pd.DataFrame, n_schools: int, seed: int
) -> pd.DataFrame:
    """Return the first staff with application, stratum, places, draw and take-up."""
    teachers = _applied(parameters, teachers, n_schools, seed)
    applied = teachers["applied"].to_numpy()
    teachers["stratum"] = _strata(parameters, teachers, seed)
    offered = np.zeros(len(teachers), dtype=bool)
    offered[applied] = draw_lottery(teachers[applied], draw_seed(seed))
    return _taken_up(teachers.assign(offered=offered))


def _without_lottery(teachers: pd.DataFrame) -> pd.DataFrame:
    """Return those who came after randomisation."""
    return _taken_up(
        teachers.assign(applied=False, places=0, stratum=NOT_IN_LOTTERY, offered=False)
    )


def _taken_up(teachers: pd.DataFrame) -> pd.DataFrame:
    always = teachers["stratum"] == STRATA[2]
    teachers["took_up_not_offered"] = always
    teachers["took_up_offered"] = always | (teachers["stratum"] == STRATA[1])
    teachers["took_up"] = teachers["took_up_offered"].where(
        teachers["offered"], teachers["took_up_not_offered"]
    )
    return teachers


def _applied(
    parameters: LotteryParameters, teachers: pd.DataFrame, n_schools: int, seed: int
) -> pd.DataFrame:
    """Return who applies: in each school those with the strongest wish; and the school's places."""
    rng = stream(seed, "applications")
    own = rng.standard_normal(len(teachers))
    wish = pd.Series(
        _mix(teachers["ability"].to_numpy(), parameters.application_correlation, own),
        index=teachers.index,
    )
    fewest, most = parameters.applicants_per_school
    asked = rng.integers(fewest, most + 1, n_schools)
    staff = teachers.groupby("school").size().to_numpy()
    applicants = np.minimum(asked, staff)
    places = rng.integers(parameters.places_per_school[0], parameters.places_per_school[1] + 1,
                          n_schools)  # fmt: skip
    places = np.minimum(places, applicants - 1)
    school = teachers["school"].to_numpy()
    rank = wish.groupby(teachers["school"]).rank(ascending=False, method="first").to_numpy()
    return teachers.assign(applied=rank <= applicants[school], places=places[school])


def _strata(
    parameters: LotteryParameters, teachers: pd.DataFrame, seed: int
) -> NDArray[np.object_]:
    """Return the principal strata: the shares of applicants that are set, to the person."""
    own = stream(seed, "strata").standard_normal(len(teachers))
    wish = _mix(teachers["ability"].to_numpy(), parameters.take_up_correlation, own)
    strata = np.full(len(teachers), NOT_IN_LOTTERY, dtype=object)
    rows = np.flatnonzero(teachers["applied"].to_numpy())
    rows = rows[np.argsort(wish[rows], kind="stable")]
    never = round(parameters.never_taker_share * len(rows))
    always = round(parameters.always_taker_share * len(rows))
    strata[rows] = STRATA[1]
    strata[rows[:never]] = STRATA[0]
    strata[rows[len(rows) - always :]] = STRATA[2]
    return strata


def _gain(parameters: LotteryParameters, stratum: pd.Series, outcome: str, year: int) -> Floats:
    """Return the effect of taking the certificate in a year, by the teacher's stratum."""
    effect = parameters.effect(outcome, year)
    times = {STRATA[1]: 1.0, STRATA[2]: parameters.always_taker_gain}
    return np.asarray(effect * stratum.map(times).fillna(0.0).to_numpy(dtype=float))


def _retention(
    parameters: LotteryParameters, teachers: pd.DataFrame, years: tuple[int, ...], seed: int
) -> pd.DataFrame:
    """Return a row per teacher and year, with who stays and who is still in post.

    One latent wish to stay is held against a threshold that rises over the years, so that nobody
    who left comes back. Who came later is held against the fall since then.
    """
    first = int(teachers["first_year"].iloc[0]) if len(teachers) else years[0]
    own = stream(seed, "retention", first).standard_normal(len(teachers))
    link = parameters.retention_correlation
    wish = _mix(teachers["ability"].to_numpy(), link, own)
    retained = dict(parameters.retention)
    since = retained.get(str(first - 1), 1.0)
    in_post = np.ones(len(teachers), dtype=bool)
    frames = []
    for year in years:
        frame = pd.DataFrame({"teacher": teachers.index.to_numpy(), "year": year})
        frame["in_post"] = in_post
        for arm in ("not_offered", "offered"):
            values = np.full(len(teachers), np.nan)
            if year not in parameters.years_before:
                share = np.divide(retained[str(year)], since) if since else 0.0
                taken = teachers[f"took_up_{arm}"].to_numpy()
                share = share + taken * _gain(parameters, teachers["stratum"], "stays", year)
                values = (wish > -ndtri(share)).astype(float)
            frame[f"stays_{arm}"] = values
        frame["stays"] = np.where(
            teachers["offered"], frame["stays_offered"], frame["stays_not_offered"]
        )
        in_post = in_post & (frame["stays"] != 0).to_numpy()
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _surveyed(
    parameters: LotteryParameters,
    teachers: pd.DataFrame,
    years: pd.DataFrame,
    outcome: str,
    seed: int,
) -> pd.DataFrame:
    """Return the years with both potential scores of an outcome and the realised one."""
    n_schools = int(teachers["school"].max()) + 1
    icc, r2 = dict(parameters.teacher_icc)[outcome], dict(parameters.teacher_r2)[outcome]
    between = stream(seed, "schools' teachers", outcome).standard_normal(n_schools)
    own = np.empty(len(years))
    for year, rows in years.groupby("year", sort=True).indices.items():
        own[rows] = stream(seed, "surveyed", outcome, int(str(year))).standard_normal(len(rows))
    person = teachers.loc[years["teacher"]].reset_index(drop=True)
    lasting = np.sqrt(np.sqrt(r2)) * person[outcome].to_numpy() + np.sqrt(1 - np.sqrt(r2)) * own
    z = np.sqrt(icc) * between[person["school"]] + np.sqrt(1 - icc) * lasting
    mean, sd = dict(parameters.teacher_mean)[outcome], dict(parameters.teacher_sd)[outcome]
    low, high = dict(parameters.teacher_range)[outcome]
    effect = np.empty(len(years))
    for year, rows in years.groupby("year", sort=True).indices.items():
        stratum = person["stratum"].iloc[rows]
        effect[rows] = _gain(parameters, stratum, outcome, int(str(year)))
    for arm in ("not_offered", "offered"):
        score = mean + sd * (z + effect * person[f"took_up_{arm}"].to_numpy())
        years[f"{outcome}_{arm}"] = np.clip(score, low, high)
    years[outcome] = np.where(
        person["offered"], years[f"{outcome}_offered"], years[f"{outcome}_not_offered"]
    )
    return years


def _responds(
    parameters: LotteryParameters, teachers: pd.DataFrame, years: pd.DataFrame, seed: int
) -> Flags:
    """Return who answers the survey: of those in post, all but the share of their group."""
    person = teachers.loc[years["teacher"]].reset_index(drop=True)
    group = np.where(person["offered"], "offer", "no_offer")
    group = np.where(years["year"].isin(parameters.years_before), "before", group)
    group = np.where(person["applied"], group, "not_in_lottery")
    share = pd.Series(group).map(dict(parameters.nonresponse)).to_numpy(dtype=float)
    own = np.empty(len(years))
    for year, rows in years.groupby("year", sort=True).indices.items():
        own[rows] = stream(seed, "nonresponse", int(str(year))).standard_normal(len(rows))
    wish = _mix(person["ability"].to_numpy(), parameters.nonresponse_correlation, own)
    return np.asarray(years["in_post"].to_numpy() & (wish > ndtri(share)))
