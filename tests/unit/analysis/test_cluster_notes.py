"""Claims about what is said of clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.analysis.cluster_notes import FEW, describe_clusters, lacks_unit_level


def rows(units: list[int], groups: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"cluster": units, "group": groups})


def test_groups_of_several_units_are_counted_and_few_are_called_few() -> None:
    units = list(range(40))
    many = describe_clusters(rows(units, units), "group")
    assert many == ["errors clustered on group (40)"]
    few = describe_clusters(rows(units, [unit // 4 for unit in units]), "group")
    assert few == [
        "errors clustered on group (10)", f"few clusters: 10 (fewer than {FEW})",
    ]  # fmt: skip


def test_groups_inside_a_unit_that_was_assigned_give_errors_that_are_too_small() -> None:
    classes = describe_clusters(rows([0, 0, 1, 1, 2], [0, 1, 2, 3, 4]), "group")
    assert classes[1] == (
        "2 of 3 assigned units hold several groups of group: errors clustered below the unit of "
        "assignment are too small"
    )
    assert len(classes) == 2


def test_labels_that_schools_use_again_are_pointed_out() -> None:
    pupils = rows(list(range(8)), [0, 1, 0, 1, 0, 1, 0, 1]).assign(school=list("aabbccdd"))
    assert "give each group a label of its own" in describe_clusters(pupils, "group")[2]
    own = pupils.assign(group=list("abcdefgh"))
    assert len(describe_clusters(own, "group")) == 2
    districts = pupils.assign(group=list("aaaabbbb"))
    assert len(describe_clusters(districts, "group")) == 2
    assert len(describe_clusters(pupils, "school")) == 2


def test_random_levels_must_hold_the_unit_that_was_assigned() -> None:
    units = rows([0, 0, 1, 1, 2, 2, 3, 3], [0] * 8)
    classes, schools = np.arange(8), np.array(list("aabbccdd"))
    districts = np.array(list("aaaabbbb"))
    assert not lacks_unit_level(units, [classes, schools])
    assert lacks_unit_level(units, [classes])
    assert lacks_unit_level(units, [districts])
    assert lacks_unit_level(units, [classes, districts])
    pupils = units.assign(cluster=range(8))
    assert not lacks_unit_level(pupils, [districts])
